/* Files: JSON lines that `ladtl train` reads, one sentence each with its tokens, out and in. */

/* As in the package's own JSON: what steers a terminal is written as an escape. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One sentence as a line. */
function lineOf({ id, text, tokens, entities, done }) {
  const label = entities.map((e) => [tokens[e.first][0], tokens[e.last - 1][1], e.type]);
  const end = tokens.at(-1)[1];
  const line = JSON.stringify({
    id, text, label,
    tokens: tokens.map(([start, end]) => ({ start, end })),
    sents: [{ start: 0, end }],
    reviewed: done,
  });
  return `${line.replace(UNSAFE, escapeUnits)}\n`;
}

function escapeUnits(one) {
  return Array.from({ length: one.length }, (_, n) =>
    `\\u${one.charCodeAt(n).toString(16).padStart(4, '0')}`).join('');
}

/** The file of a review: the reviewed sentences in document order, or all. */
function exported(state, all) {
  return state.sentences.filter((sentence) => all || sentence.done).map(lineOf).join('');
}

/** Offer a text as a file. */
function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }));
  const link = make('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Take over the reviewed sentences of an earlier file, as one step that can be undone. Sentences
    are told by id and text, or by their text alone where just one has it. Returns what to tell. */
function imported(state, content) {
  const places = new Map(), byText = new Map();
  state.sentences.forEach(({ id, text }, number) => {
    places.set(`${id}\n${text}`, number);
    byText.set(text, byText.has(text) ? null : number);
  });
  const found = new Map();
  let unknown = 0, misfits = 0;
  content.split('\n').forEach((line, at) => {
    if (!line.trim()) return;
    const record = parsed(line, at + 1);
    if (!record.reviewed) return;
    const number = places.get(`${record.id}\n${record.text}`) ?? byText.get(record.text) ?? null;
    if (number === null) {
      unknown += 1;
      return;
    }
    const entities = aligned(record.label, state.sentences[number]);
    if (entities === null) misfits += 1;
    else found.set(number, { entities, done: true });
  });
  for (const { entities } of found.values()) {
    for (const { type } of entities) if (!state.types.includes(type)) state.types.push(type);
  }
  const told = [`Imported ${counted(found.size, 'reviewed sentence')}`];
  if (unknown) told.push(`${unknown} are not on this page`);
  if (misfits) told.push(`${misfits} do not fit its tokens`);
  state.changeAll([...found], told.join('; '));
  return told.join('; ');
}

function parsed(line, number) {
  let record = null;
  try {
    record = JSON.parse(line);
  } catch { /* told below */ }
  const fits = record && typeof record === 'object' && typeof record.text === 'string'
    && Array.isArray(record.label);
  if (!fits) throw new Error(`Line ${number} is no sentence that this page has exported.`);
  return record;
}

/** Entities in tokens, from offsets; null where one does not end where tokens do. */
function aligned(label, { tokens, start }) {
  const firsts = new Map(tokens.map(([begin], n) => [begin, n]));
  const lasts = new Map(tokens.map(([, end], n) => [end, n + 1]));
  const entities = label.map(([begin, end, type]) => {
    const first = firsts.get(begin), last = lasts.get(end);
    const same = start.find((e) => e.first === first && e.last === last && e.type === type);
    return same ? { ...same, by: 'kept' } : { first, last, type, p: null, by: 'you' };
  }).sort((a, b) => a.first - b.first);
  return sound(entities, tokens.length) ? entities : null;
}
