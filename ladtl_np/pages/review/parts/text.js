/* Text: offsets of the data count code points, while JavaScript's own count UTF-16 units, two of
   which make one character beyond U+FFFF. So texts are cut by code points and nowhere else. */

/* Control and format characters, lone surrogates, line and paragraph separators: what steers the
   direction of reading, or cannot be seen. The Python side shows the same ones as escapes. */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A text with everything in it that steers or cannot be seen written out, such as \u202e. */
function visible(text) {
  return text.replace(STEERING, (one) => {
    if (one === '\t' || one === '\n') return one;
    const code = one.codePointAt(0), hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
}

/** Code points `start` to `end` of a sentence, which keeps its code points once they are asked for. */
function cut(sentence, start, end) {
  sentence.points ??= Array.from(sentence.text);
  return sentence.points.slice(start, end).join('');
}

/** Text of the tokens `first` to `last`, the last one left out. */
function textOf(sentence, first, last) {
  return cut(sentence, sentence.tokens[first][0], sentence.tokens[last - 1][1]);
}

/** A probability in whole per cent; only 1 is 100 %, and only 0 is 0 %. */
function percent(probability) {
  if (probability > 0 && probability < 0.01) return '<1 %';
  if (probability > 0.99 && probability < 1) return '>99 %';
  return `${Math.round(100 * probability)} %`;
}

/** A count and its noun. */
function counted(count, noun) {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** An element with classes, attributes and children, none of which is ever read as markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}
