/* What the reader works on: the sentence, the token under the cursor, and the tokens chosen. Every
   key and every button comes here. */

class Desk {
  constructor(state, cards, list, tell) {
    Object.assign(this, { state, cards, list, tell });
    this.number = null; // of the sentence
    this.at = 0; // token under the cursor
    this.anchor = null; // where the choice of tokens began, null without one
    this.around = false; // whether the sentences beside this one in its document are shown
    this.moved = () => {};
    state.listeners.push((numbers) => this.#redraw(numbers));
  }

  get sentence() { return this.state.sentences[this.number]; }
  get entity() { return this.number === null ? -1 : this.state.entityAt(this.number, this.at); }

  /** Chosen tokens, first and last + 1; the token under the cursor where none are. */
  get range() {
    const other = this.anchor ?? this.at;
    return [Math.min(this.at, other), Math.max(this.at, other) + 1];
  }

  #redraw(numbers) {
    for (const number of numbers) {
      this.cards.draw(number, number === this.number ? this : null);
    }
    this.moved();
  }

  /** The span to look at first: the least probable one of those that are not accepted. */
  #doubtful() {
    const { entities } = this.sentence;
    const open = entities.filter((e) => e.by === 'model');
    return open.reduce((least, e) => ((e.p ?? 1) < (least.p ?? 1) ? e : least), open[0]) ?? entities[0];
  }

  /** Go to a sentence: to its least probable span, or to a token. Null is nowhere. */
  go(number, token = null, focus = true) {
    const before = this.number;
    this.number = number;
    this.anchor = null;
    if (number === null) {
      this.#redraw(before === null ? [] : [before]);
      return;
    }
    this.at = token ?? this.#doubtful()?.first ?? 0;
    this.#redraw(before === null || before === number ? [number] : [before, number]);
    const card = this.cards.elements[number];
    if (focus) card.focus({ preventScroll: true });
    card.scrollIntoView({ block: 'nearest' });
    if (before !== number) this.tell(this.#spoken(), 'moved');
  }

  /** The sentence as it is read out. */
  #spoken() {
    const { text, entities } = this.sentence;
    const spans = entities.map((e) => named(this.state, this.number, e)).join(', ');
    return `${this.cards.label(this.number)}. ${visible(text)} ${spans}`;
  }

  step(by) {
    const next = this.list.beside(this.number, by);
    if (next === null) this.tell(by > 0 ? 'Last sentence' : 'First sentence');
    else this.go(next);
  }

  /** Move the cursor; choosing tokens keeps where the choice began. */
  move(by, choosing = false) {
    this.put(this.at + by, choosing);
  }

  put(token, choosing = false) {
    const at = Math.max(0, Math.min(this.sentence.tokens.length - 1, token));
    this.anchor = choosing ? this.anchor ?? this.at : null;
    this.at = at;
    this.#redraw([this.number]);
    this.tell(this.told(), 'moved');
  }

  turnAround() {
    this.around = !this.around;
    this.#redraw([this.number]);
    const texts = [...this.cards.elements[this.number].querySelectorAll('.around')];
    const told = texts.map((one) => one.textContent).filter(Boolean).join(' … ');
    this.tell(this.around ? told || 'No sentence beside it' : 'Without the sentences beside it', 'moved');
  }

  /** What is under the cursor, in words. */
  told() {
    const [first, last] = this.range;
    if (this.anchor !== null) return `Chosen: ${visible(textOf(this.sentence, first, last))}`;
    const entity = this.sentence.entities[this.entity];
    if (!entity) return visible(textOf(this.sentence, first, last));
    const sure = entity.by === 'model' && entity.p !== null ? `, ${percent(entity.p)}` : '';
    return `${named(this.state, this.number, entity)}${sure}`;
  }

  /** Go to the next or the previous span, in this sentence or the next one that has any. */
  span(by) {
    const { entities } = this.sentence;
    const ahead = by > 0 ? entities.find((e) => e.first > this.at)
      : entities.findLast((e) => e.last <= this.at);
    if (ahead) {
      this.put(ahead.first);
      return;
    }
    let number = this.number;
    do number = this.list.beside(number, by);
    while (number !== null && !this.state.sentences[number].entities.length);
    if (number === null) {
      this.tell(by > 0 ? 'No span after this' : 'No span before this');
      return;
    }
    const others = this.state.sentences[number].entities;
    this.go(number, (by > 0 ? others[0] : others.at(-1)).first);
  }

  /* --- changes; each tells what it did --- */

  accept() {
    if (!this.#needs()) return;
    const { entity } = this;
    const told = accept(this.state, this.number, entity) ?? 'Accepted already';
    const { entities } = this.sentence;
    const next = [...entities.slice(entity), ...entities].find((e) => e.by === 'model');
    if (next) this.put(next.first);
    this.tell(told);
  }

  remove() {
    if (this.#needs()) this.tell(remove(this.state, this.number, this.entity));
  }

  resize(bound, step) {
    if (!this.#needs()) return;
    const { entity } = this;
    const told = resize(this.state, this.number, entity, bound, step);
    const { first, last } = this.sentence.entities[entity];
    this.at = Math.max(first, Math.min(last - 1, this.at));
    this.#redraw([this.number]);
    this.tell(told ?? 'It cannot be moved further');
  }

  /** Give the span under the cursor another type, or make one of the chosen tokens. */
  type(type) {
    if (!type || this.number === null) return;
    if (this.anchor === null && this.entity >= 0) {
      this.tell(retype(this.state, this.number, this.entity, type) ?? `It is ${type} already`);
      return;
    }
    const range = this.range;
    this.anchor = null;
    this.at = range[0];
    this.tell(add(this.state, this.number, ...range, type));
  }

  /** The sentence is right: mark it, and go to the next one that is not reviewed. */
  finish() {
    if (this.number === null) return;
    finish(this.state, this.number, true);
    const next = this.list.nextTodo(this.number);
    const left = this.state.sentences.length - this.state.done;
    if (next !== null) this.go(next);
    this.tell(next === null ? 'Reviewed. None is left here.' : `Reviewed. ${left} left.`);
  }

  reopen() {
    const told = finish(this.state, this.number, !this.sentence.done);
    this.tell(told);
  }

  undo() { this.#back(this.state.undo(), 'before', 'Undone', 'Nothing to undo'); }
  redo() { this.#back(this.state.redo(), 'after', 'Done again', 'Nothing to do again'); }

  #back(change, side, what, nothing) {
    if (!change) {
      this.tell(nothing);
      return;
    }
    const { number } = change.steps[0];
    const [was, is] = [change.steps[0].before.entities, change.steps[0].after.entities];
    const there = (side === 'before' ? was : is).find((e) => !(side === 'before' ? is : was).includes(e));
    if (this.list.place.has(number)) this.go(number, there?.first ?? null);
    this.tell(`${what}: ${change.told}`);
  }

  #needs() {
    if (this.number !== null && this.entity >= 0) return true;
    this.tell('No span under the cursor');
    return false;
  }
}
