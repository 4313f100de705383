/* The page around the sentences: what it says, its choices, its dialogs, and files in and out. */

class ReviewPage {
  constructor(data, hash) {
    this.data = data;
    this.state = new State(data);
    this.store = new Store(hash);
    const restored = this.store.restore(this.state);
    this.cards = new Cards(this.state, data);
    this.list = new List(this.state, this.cards, at('sentences'));
    this.desk = new Desk(this.state, this.cards, this.list, (told, kind) => this.tell(told, kind));
    this.desk.moved = () => this.drawPanel();
    this.state.listeners.push((numbers) => {
      for (const number of numbers) this.store.keep(number, this.state.sentences[number]);
      this.drawProgress();
    });
    this.#connect();
    const { at: number, ...choice } = this.store.view();
    this.#setChoice(data.measure ? choice : { ...choice, order: 'document' });
    this.drawProgress();
    const first = this.list.place.has(number) ? number : this.list.nextTodo(-1) ?? this.list.shown[0];
    this.desk.go(first ?? null, null, false);
    if (restored) this.tell(`${counted(restored, 'changed sentence')} from before`);
  }

  /** Say something: to the eye below the text, and to who listens. Moves are only heard. */
  tell(told, kind = 'done') {
    at('heard').textContent = told;
    if (kind !== 'moved') at('told').textContent = told;
  }

  /* --- drawing --- */

  drawProgress() {
    const { done, sentences } = this.state;
    const bar = at('bar');
    bar.max = sentences.length;
    bar.value = done;
    at('count').textContent = `${done.toLocaleString('en')} of ${counted(sentences.length, 'sentence')} reviewed`;
    at('unsafe').hidden = this.store.works;
    at('undo').disabled = !this.state.changes.length;
    at('redo').disabled = !this.state.undone.length;
  }

  drawPanel() {
    const { desk } = this;
    const entity = desk.number === null ? null : desk.sentence.entities[desk.entity];
    const choosing = desk.anchor !== null;
    at('under').textContent = desk.number === null ? '' : visible(textOf(desk.sentence, ...(
      entity && !choosing ? [entity.first, entity.last] : desk.range)));
    for (const id of ['accept', 'delete', 'wider-start', 'narrower-start', 'narrower-end', 'wider-end']) {
      at(id).disabled = !entity || choosing;
    }
    at('right').disabled = desk.number === null;
    this.#drawTypes(entity && !choosing ? entity.type : null);
    this.store.keepView({ ...this.list.choice, at: desk.number });
  }

  #drawTypes(current) {
    const { types } = this.state;
    const keyed = types.slice(0, 9);
    if (at('types').childElementCount !== keyed.length + 1) {
      const buttons = keyed.map((type, n) => {
        const swatch = make('span', { class: `swatch ${this.cards.classes(type)}` }, visible(type));
        const button = make('button', { type: 'button' }, make('kbd', {}, String(n + 1)), swatch);
        button.addEventListener('click', () => this.desk.type(type));
        return button;
      });
      const more = make('button', { type: 'button', 'aria-haspopup': 'dialog' }, make('kbd', {}, 't'), 'all types');
      more.addEventListener('click', () => this.chooseType());
      at('types').replaceChildren(...buttons, more);
      this.#fillTypes();
    }
    keyed.forEach((type, n) =>
      at('types').children[n].setAttribute('aria-pressed', String(type === current)));
  }

  #fillTypes() {
    const chosen = at('type').value;
    at('type').replaceChildren(make('option', { value: '' }, 'every type'), ...this.state.types.map(
      (type) => make('option', { value: type }, visible(type))));
    at('type').value = chosen;
  }

  /* --- choices --- */

  #setChoice(choice) {
    this.#fillTypes();
    for (const key of ['order', 'show', 'type', 'certainty', 'search']) {
      if (choice[key] !== undefined) at(key).value = choice[key];
    }
    this.choose();
  }

  /** Show what the choices at the top say. */
  choose() {
    const keys = ['order', 'show', 'type', 'certainty', 'search'];
    const inside = at('sentences').contains(document.activeElement); // moved cards lose the focus
    const count = this.list.choose(Object.fromEntries(keys.map((key) => [key, at(key).value])));
    const all = count === this.state.sentences.length;
    at('shown').textContent = all ? '' : `${count.toLocaleString('en')} shown`;
    at('none').hidden = count > 0;
    if (!this.list.place.has(this.desk.number)) this.desk.go(this.list.shown[0] ?? null, null, false);
    else this.cards.elements[this.desk.number].scrollIntoView({ block: 'nearest' });
    if (inside) this.focus();
    this.store.keepView({ ...this.list.choice, at: this.desk.number });
  }

  turnOrder() {
    if (!this.data.measure) return;
    at('order').value = at('order').value === 'certainty' ? 'document' : 'certainty';
    this.#turned(at('order'));
  }

  turnShow() {
    at('show').value = at('show').value === 'all' ? 'todo' : 'all';
    this.#turned(at('show'));
  }

  #turned(select) {
    this.choose();
    this.tell(`${select.selectedOptions[0].textContent}: ${counted(this.list.shown.length, 'sentence')}`);
  }

  search() {
    at('search').focus();
    at('search').select();
  }

  /** Back to the sentence that is worked on. */
  focus() {
    if (this.desk.number !== null) this.cards.elements[this.desk.number].focus({ preventScroll: true });
  }

  /* --- dialogs and files --- */

  help() { at('help').showModal(); }

  chooseType() {
    at('filter').value = '';
    this.#listTypes();
    at('choose').showModal();
  }

  #listTypes() {
    const wanted = at('filter').value.toLowerCase();
    const fitting = this.state.types.filter((type) => type.toLowerCase().includes(wanted));
    at('found').replaceChildren(...fitting.map((type) => {
      const swatch = make('span', { class: `swatch ${this.cards.classes(type)}` }, visible(type));
      const button = make('button', { value: type }, swatch);
      return make('li', {}, button);
    }));
  }

  export() {
    const { sentences, done } = this.state;
    at('export-done').textContent = counted(done, 'sentence');
    at('export-all').textContent = counted(sentences.length, 'sentence');
    at('export').showModal();
  }

  #save() {
    const all = at('export').querySelector('input[value=all]').checked;
    download(exported(this.state, all), this.data.file);
    this.state.exported = true;
    this.tell(`Exported as ${this.data.file}`);
  }

  async #open(file) {
    try {
      this.tell(imported(this.state, await file.text()));
      this.choose();
    } catch (error) {
      this.tell(`Not imported. ${error.message}`);
    }
  }

  #connect() {
    const sentences = at('sentences');
    sentences.addEventListener('keydown', (event) => {
      if (pressed(event, this.desk, this)) event.preventDefault();
    });
    sentences.addEventListener('focusin', (event) => {
      const number = Number(event.target.closest('article')?.dataset.number ?? NaN);
      if (number >= 0 && number !== this.desk.number) this.desk.go(number);
    });
    followPointer(sentences, this.desk);
    for (const key of ['order', 'show', 'type', 'certainty']) at(key).addEventListener('change', () => this.choose());
    at('search').addEventListener('input', () => this.choose());
    at('search').addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === 'Escape') this.focus();
    });
    const buttons = {
      accept: () => this.desk.accept(), delete: () => this.desk.remove(), right: () => this.desk.finish(),
      'wider-start': () => this.desk.resize('first', -1), 'narrower-start': () => this.desk.resize('first', 1),
      'narrower-end': () => this.desk.resize('last', -1), 'wider-end': () => this.desk.resize('last', 1),
      undo: () => this.desk.undo(), redo: () => this.desk.redo(), keys: () => this.help(),
      save: () => this.export(), open: () => at('file').click(),
    };
    for (const [id, action] of Object.entries(buttons)) at(id).addEventListener('click', action);
    at('file').addEventListener('change', ({ target }) => {
      if (target.files.length) this.#open(target.files[0]);
      target.value = '';
    });
    at('filter').addEventListener('input', () => this.#listTypes());
    at('choose').addEventListener('submit', ({ submitter }) => this.desk.type(submitter.value));
    at('export').addEventListener('submit', ({ submitter }) => { if (submitter.value) this.#save(); });
    for (const id of ['help', 'choose', 'export']) at(id).addEventListener('close', () => this.focus());
    addEventListener('beforeunload', (event) => {
      if (!this.store.works && !this.state.exported) event.preventDefault();
    });
  }
}

/** The element with an id. */
function at(id) { return document.getElementById(id); }

at('tables').append(...keyTables());
const data = at('data');
new ReviewPage(JSON.parse(data.textContent), data.dataset.hash);
