// The listeners of an element.

class Listeners {
  constructor() {
    this.listeners = new Map();
  }

  tell(name, detail) {
    for (const listener of [...(this.listeners.get(name) ?? [])]) listener(detail);
  }

  on(name, listener) {
    const heard = this.listeners.get(name) ?? [];
    this.listeners.set(name, [...heard, listener]);
    return this;
  }

  once(name, listener) {
    const first = (detail) => {
      this.off(name, first);
      listener(detail);
    };
    return this.on(name, first);
  }

  off(name, listener) {
    const heard = this.listeners.get(name) ?? [];
    this.listeners.set(name, listener ? heard.filter((one) => one !== listener) : []);
    return this;
  }
}
