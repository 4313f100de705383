/* A card for each sentence. Its marks look as the package's other pages draw them; tokens have
   elements of their own on the card that is worked on, and nowhere else. */

class Cards {
  constructor(state, data) {
    this.state = state;
    this.data = data;
    this.elements = state.sentences.map((_, number) => this.#card(number));
  }

  #card(number) {
    const sentence = this.state.sentences[number];
    const name = make('span', { class: 'name', dir: 'auto' }, visible(this.data.documents[sentence.document]));
    const meta = make('div', { class: 'meta' }, name);
    if (sentence.certainty !== null) {
      const told = percent(sentence.certainty);
      meta.append(make('span', { class: 'sure', title: this.data.measure }, told));
    }
    const state = make('span', { class: 'state', 'aria-hidden': 'true' });
    const [before, text, after] = ['around', 'text', 'around'].map(
      (name) => make('p', { class: name, dir: 'auto' }));
    const card = make('article', { tabindex: '-1', 'data-number': number }, state, meta, before, text, after);
    this.#fill(card, number, null);
    return card;
  }

  /** Draw a card anew; with a cursor, it is the one that is worked on. */
  draw(number, cursor = null) { this.#fill(this.elements[number], number, cursor); }

  #fill(card, number, cursor) {
    const sentence = this.state.sentences[number];
    card.classList.toggle('done', sentence.done);
    card.classList.toggle('active', cursor !== null);
    card.setAttribute('aria-label', this.label(number));
    card.tabIndex = cursor === null ? -1 : 0;
    card.querySelector('.text').replaceChildren(...this.#pieces(sentence, number, cursor));
    const around = card.querySelectorAll('.around');
    [number - 1, number + 1].forEach((other, n) => {
      around[n].textContent = cursor?.around ? this.#beside(number, other) : '';
    });
  }

  /** Text of a sentence beside another one in its document; empty at the ends. */
  #beside(number, other) {
    const { sentences } = this.state;
    const near = sentences[other]?.document === sentences[number].document;
    return near ? visible(sentences[other].text) : '';
  }

  /** A sentence in a few words, for who listens. */
  label(number) {
    const { done, entities, certainty } = this.state.sentences[number];
    const sure = certainty === null ? '' : `, certain to ${percent(certainty)}`;
    return `Sentence ${number + 1}, ${done ? 'reviewed' : 'not reviewed'}, `
      + `${counted(entities.length, 'span')}${sure}`;
  }

  /** Everything of a sentence: texts, marks, and tokens where there is a cursor. */
  *#pieces(sentence, number, cursor) {
    const under = cursor?.anchor === null ? this.state.entityAt(number, cursor.at) : -1;
    let at = 0;
    for (const [n, entity] of sentence.entities.entries()) {
      yield* this.#run(sentence, at, entity.first, cursor);
      yield* this.#gap(sentence, entity.first);
      const mark = this.mark(entity);
      mark.prepend(...this.#run(sentence, entity.first, entity.last, cursor, true));
      if (n === under) mark.classList.add('here');
      yield mark;
      at = entity.last;
    }
    yield* this.#run(sentence, at, sentence.tokens.length, cursor);
  }

  /** Tokens `first` to `last` and what stands between them; before the first too, but in a mark. */
  *#run(sentence, first, last, cursor, inside = false) {
    if (first === last) return;
    const { tokens } = sentence;
    if (!cursor) {
      const start = inside || !first ? tokens[first][0] : tokens[first - 1][1];
      yield visible(cut(sentence, start, tokens[last - 1][1]));
      return;
    }
    const low = Math.min(cursor.at, cursor.anchor ?? cursor.at);
    const high = Math.max(cursor.at, cursor.anchor ?? cursor.at);
    for (let n = first; n < last; n += 1) {
      if (!inside || n > first) yield* this.#gap(sentence, n);
      const classes = ['token'];
      if (n === cursor.at) classes.push('at');
      if (cursor.anchor !== null && low <= n && n <= high) classes.push('chosen');
      const text = visible(cut(sentence, ...tokens[n]));
      yield make('span', { class: classes.join(' '), 'data-token': n }, text);
    }
  }

  /** What stands before a token. */
  *#gap(sentence, token) {
    if (!token) return;
    const start = sentence.tokens[token - 1][1], end = sentence.tokens[token][0];
    if (start < end) yield visible(cut(sentence, start, end));
  }

  /** The mark of an entity, with its label and without its text. */
  mark({ type, p, by }) {
    const label = make('small', {}, ` ${visible(type)}`);
    const mark = make('mark', { class: this.classes(type) }, label);
    if (by === 'model' && p !== null) {
      mark.classList.add(`p${this.data.levels.filter((least) => p >= least).length}`);
      mark.title = `${visible(type)}, probability ${p.toFixed(4)}`;
      label.append(make('span', {}, ` ${percent(p)}`));
    } else if (by !== 'model') {
      mark.classList.add(by);
      label.append(by === 'kept' ? ' ✓' : ' ✎');
    }
    return mark;
  }

  /** Hue and line of a type. */
  classes(type) {
    const number = this.state.types.indexOf(type);
    const { hues, lines } = this.data;
    return `t${number % hues} u${Math.floor(number / hues) % lines}`;
  }
}
