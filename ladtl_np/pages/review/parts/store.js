/* What the browser keeps of a review: a key for each changed sentence, so that a change writes a few
   bytes however long the page is. Keys hold the hash of the page's data; values hold numbers of
   tokens and names of types, and no text. */

class Store {
  constructor(hash) {
    this.prefix = `ladtl-review:${hash}:`;
    this.works = this.#try(() => {
      localStorage.setItem(`${this.prefix}probe`, '1');
      localStorage.removeItem(`${this.prefix}probe`);
    });
  }

  /* Storage may be switched off, full, or not there for pages from a folder: all of these throw. */
  #try(action) {
    try {
      action();
      return true;
    } catch {
      return false;
    }
  }

  /** Keep what a sentence is by now; one that is as at the start is forgotten. */
  keep(number, sentence) {
    const key = this.prefix + number;
    const same = sentence.entities === sentence.start && !sentence.done;
    const value = [+sentence.done, sentence.entities.map((e) => [e.first, e.last, e.type, e.by, e.p])];
    const kept = this.#try(() => same
      ? localStorage.removeItem(key) : localStorage.setItem(key, JSON.stringify(value)));
    this.works = this.works && kept;
  }

  keepView(view) {
    this.#try(() => localStorage.setItem(`${this.prefix}view`, JSON.stringify(view)));
  }

  view() {
    let found = null;
    this.#try(() => { found = JSON.parse(localStorage.getItem(`${this.prefix}view`)); });
    return found ?? {};
  }

  /** Put what is kept into the state; returns how many sentences that were. */
  restore(state) {
    let count = 0;
    state.sentences.forEach((sentence, number) => {
      this.#try(() => {
        const value = JSON.parse(localStorage.getItem(this.prefix + number));
        if (!value) return;
        const [done, found] = value;
        const entities = found.map(([first, last, type, by, p]) => ({ first, last, type, by, p }));
        if (!sound(entities, sentence.tokens.length)) return;
        Object.assign(sentence, { done: Boolean(done), entities });
        for (const { type } of entities) if (!state.types.includes(type)) state.types.push(type);
        count += 1;
      });
    });
    return count;
  }
}

/** Whether entities lie in a sentence, in order and apart. */
function sound(entities, length) {
  let end = 0;
  return entities.every(({ first, last, type }) => {
    const fits = Number.isInteger(first) && Number.isInteger(last)
      && end <= first && first < last && last <= length && typeof type === 'string';
    end = last;
    return fits;
  });
}
