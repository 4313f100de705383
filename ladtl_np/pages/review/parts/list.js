/* Which cards are shown and in which order. A card that no longer fits stays until the choice is made
   anew, so that nothing moves away under the reader's hands. */

class List {
  constructor(state, cards, container) {
    Object.assign(this, { state, cards, container });
    this.choice = { order: 'certainty', show: 'all', type: '', certainty: '', search: '' };
    this.shown = [];
  }

  /** Choose anew; returns how many sentences are shown. */
  choose(choice) {
    Object.assign(this.choice, choice);
    const { sentences } = this.state;
    const numbers = sentences.map((_, number) => number).filter((number) => this.#fits(number));
    if (this.choice.order === 'certainty') {
      const rank = (number) => sentences[number].certainty ?? Infinity;
      numbers.sort((a, b) => rank(a) - rank(b) || a - b);
    }
    this.shown = numbers;
    this.place = new Map(numbers.map((number, at) => [number, at]));
    this.container.replaceChildren(...numbers.map((number) => this.cards.elements[number]));
    return numbers.length;
  }

  #fits(number) {
    const sentence = this.state.sentences[number];
    const { show, type, certainty, search } = this.choice;
    if (show === 'todo' && sentence.done) return false;
    if (show === 'done' && !sentence.done) return false;
    if (show === 'changed' && !this.state.changed(number)) return false;
    if (type && !sentence.entities.some((e) => e.type === type)) return false;
    if (certainty && !(sentence.certainty !== null && sentence.certainty < Number(certainty))) return false;
    return !search || sentence.text.toLowerCase().includes(search.toLowerCase());
  }

  /** The sentence some places further, or null beyond the ends. */
  beside(number, step) {
    return this.shown[(this.place.get(number) ?? -1) + step] ?? null;
  }

  /** The next sentence that is not reviewed: after this one, else from the top; or null. */
  nextTodo(number) {
    const at = this.place.get(number) ?? -1;
    const around = [...this.shown.slice(at + 1), ...this.shown.slice(0, Math.max(at, 0))];
    return around.find((other) => !this.state.sentences[other].done) ?? null;
  }
}
