/* The state: what each sentence's entities are by now, and every change, so that it can be undone.
   Entities are never changed in place: { first, last, type, p, by } in tokens, the last one left
   out; `by` is "model", "kept" (accepted as it is) or "you". */

class State {
  constructor(data) {
    this.types = [...data.types];
    this.sentences = data.sentences.map(([document, id, text, bounds, found, certainty]) => {
      const tokens = [];
      for (let n = 0; n < bounds.length; n += 2) tokens.push([bounds[n], bounds[n + 1]]);
      const entities = found.map(([first, last, type, p]) =>
        ({ first, last, type: data.types[type], p, by: 'model' }));
      return { document, id, text, tokens, certainty, entities, start: entities, done: false };
    });
    this.undone = [];
    this.changes = [];
    this.listeners = [];
    this.exported = true; // nothing yet that could be lost
  }

  /** Change one sentence; what stays as it is may be left out. */
  change(number, after, told) {
    return this.changeAll([[number, after]], told);
  }

  /** Change several sentences as one step. */
  changeAll(pairs, told) {
    const steps = pairs.map(([number, after]) => {
      const { entities, done } = this.sentences[number];
      return { number, before: { entities, done }, after: { entities, done, ...after } };
    });
    if (!steps.length) return null;
    this.changes.push({ steps, told });
    this.undone = [];
    this.#apply(steps, 'after');
    return told;
  }

  /** Take the last change back, or make it again; returns it, or null where there is none. */
  undo() { return this.#move(this.changes, this.undone, 'before'); }
  redo() { return this.#move(this.undone, this.changes, 'after'); }

  #move(from, to, side) {
    const change = from.pop();
    if (!change) return null;
    to.push(change);
    this.#apply(change.steps, side);
    return change;
  }

  #apply(steps, side) {
    this.exported = false;
    for (const step of steps) Object.assign(this.sentences[step.number], step[side]);
    const numbers = steps.map((step) => step.number);
    for (const listener of this.listeners) listener(numbers);
  }

  /** Number of the entity that holds a token, -1 where none does. */
  entityAt(number, token) {
    return this.sentences[number].entities.findIndex((e) => e.first <= token && token < e.last);
  }

  /** How many sentences are reviewed. */
  get done() { return this.sentences.reduce((sum, sentence) => sum + sentence.done, 0); }

  /** Whether a sentence's entities are others than at the start. */
  changed(number) {
    const { entities, start } = this.sentences[number];
    return entities.length !== start.length || entities.some((e, n) =>
      e.first !== start[n].first || e.last !== start[n].last || e.type !== start[n].type);
  }
}

/* Each of the following makes one change and returns what to tell, or null where nothing is done. */

function accept(state, number, at) {
  const { entities } = state.sentences[number];
  if (entities[at].by !== 'model') return null;
  const kept = entities.with(at, { ...entities[at], by: 'kept' });
  return state.change(number, { entities: kept }, `Accepted ${named(state, number, entities[at])}`);
}

function remove(state, number, at) {
  const { entities } = state.sentences[number];
  const told = `Deleted ${named(state, number, entities[at])}`;
  return state.change(number, { entities: entities.toSpliced(at, 1) }, told);
}

function retype(state, number, at, type) {
  const { entities } = state.sentences[number];
  const old = entities[at];
  if (old.type === type) return accept(state, number, at);
  const told = `${type}, was ${named(state, number, old)}`;
  return state.change(number, { entities: entities.with(at, yours(old, { type })) }, told);
}

/** Move the first or the last token of an entity, unless it would be empty or reach another one. */
function resize(state, number, at, bound, step) {
  const { entities, tokens } = state.sentences[number];
  const old = entities[at], moved = yours(old, { [bound]: old[bound] + step });
  const least = at ? entities[at - 1].last : 0;
  const most = at + 1 < entities.length ? entities[at + 1].first : tokens.length;
  if (moved.first < least || moved.last > most || moved.first >= moved.last) return null;
  const told = `Now ${named(state, number, moved)}`;
  return state.change(number, { entities: entities.with(at, moved) }, told);
}

/** Add an entity; those that it overlaps give way. */
function add(state, number, first, last, type) {
  const { entities } = state.sentences[number];
  const others = entities.filter((e) => e.last <= first || last <= e.first);
  const one = { first, last, type, p: null, by: 'you' };
  const gone = entities.length - others.length;
  const told = `Added ${named(state, number, one)}`
    + (gone ? `, in the place of ${counted(gone, 'span')}` : '');
  const all = [...others, one].sort((a, b) => a.first - b.first);
  return state.change(number, { entities: all }, told);
}

/** Mark a sentence as reviewed, or not. */
function finish(state, number, done) {
  if (state.sentences[number].done === done) return null;
  return state.change(number, { done }, done ? 'Sentence reviewed' : 'Sentence not reviewed');
}

function yours(entity, change) { return { ...entity, ...change, p: null, by: 'you' }; }

/** An entity in words. */
function named(state, number, { first, last, type }) {
  return `${type} “${visible(textOf(state.sentences[number], first, last))}”`;
}
