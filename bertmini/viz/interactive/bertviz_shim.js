// What bertviz expects of the page it runs in, and no more: the seven methods of jQuery and the one call of require.js
// that it uses, and its parameters, with the numbers unpacked. Runs before bertviz's own script, after d3's.
(() => {
  "use strict";

  class Elements {
    constructor(elements) {
      this.elements = elements;
    }
    each(change) {
      this.elements.forEach(change);
      return this;
    }
    append(child) {
      return this.each((element) => element.append(...child.elements));
    }
    attr(name, value) {
      return this.each((element) => element.setAttribute(name, value));
    }
    change() {
      return this.each((element) => element.dispatchEvent(new Event("change")));
    }
    empty() {
      return this.each((element) => element.replaceChildren());
    }
    on(event, handler) {
      return this.each((element) => element.addEventListener(event, handler));
    }
    text(value) {
      return this.each((element) => (element.textContent = value));
    }
    val(value) {
      return this.each((element) => (element.value = value));
    }
  }

  // jQuery's $: "<option />" makes an element, anything else finds some.
  function query(what) {
    const made = /^<(\w+) ?\/>$/.exec(what);
    return new Elements(made ? [document.createElement(made[1])] : [...document.querySelectorAll(what)]);
  }

  // Numbers of 8 or 16 bits between low and high, in base64, as nested arrays of the given shape.
  function unpack({ uri, bits, low, high, shape }) {
    const bytes = Uint8Array.from(atob(uri.split(",")[1]), (letter) => letter.charCodeAt(0));
    const codes = bits === 8 ? bytes : new Uint16Array(bytes.buffer);
    const step = (high - low) / (2 ** bits - 1);
    let next = 0;
    const nest = (axis) =>
      axis === shape.length
        ? low + step * codes[next++]
        : Array.from({ length: shape[axis] }, () => nest(axis + 1));
    return nest(0);
  }

  const { params, packed } = JSON.parse(document.getElementById("bertviz-data").textContent);
  const { attn, queries, keys } = Object.fromEntries(
    Object.entries(packed).map(([name, numbers]) => [name, unpack(numbers)]),
  );
  const each = (layers, change) => layers.map((heads) => heads.map(change));
  for (const part of Object.values(params.attention)) {
    part.attn = each(attn, (rows) => rows.slice(...part.rows).map((row) => row.slice(...part.columns)));
    part.queries = queries && each(queries, (rows) => rows.slice(...part.rows));
    part.keys = keys && each(keys, (rows) => rows.slice(...part.columns));
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => location.reload()); // bertviz asks for its colours once
  params.display_mode = dark.matches ? "dark" : "light";
  window.bertviz_params = params;
  window.requirejs = (_, run) => run(query, d3);
})();
