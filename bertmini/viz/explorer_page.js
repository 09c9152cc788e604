// The attention explorer, part 2: the page. Part 1, explorer.js, has the functions that need no page.
// One state for all: training step, layer, head, what is shown; each side has a token of its own. Whatever changes is
// drawn anew and said in one sentence, which screen readers speak.

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Only the chosen one of some items is reached by Tab; the arrow keys lead from it to the others.
function choose(items, at) {
  items.forEach((item, i) => {
    item.tabIndex = i === at ? 0 : -1;
    item.setAttribute('aria-selected', i === at);
  });
}

function keys(items, columns, onMove) {
  return (event) => {
    const to = moved(event.key, items.indexOf(event.target), columns, items.length);
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onMove(to);
    items[to].focus();
  };
}

function makeSide(data, side, state, changed) {
  const {tokens, layers, heads, steps, guesses} = side;
  const size = tokens.length;
  const alone = data.sides.length === 1;
  const here = {place: Math.min(side.place, size - 1)};
  const layer = () => Math.min(state.layer, layers - 1);
  const head = () => Math.min(state.head, heads - 1);
  const index = () => layer() * heads + head();
  const now = () => steps[Math.min(state.step, steps.length - 1)];
  const matrix = (number) => matrixOf(here.levels, size, number);
  const mean = (number) => meanOf(Array.from({length: heads}, (_, i) => matrix(number * heads + i)));
  const shown = {
    head: () => matrix(index()),
    mean: () => mean(layer()),
    rollout: () => rollout(Array.from({length: layer() + 1}, (_, i) => mean(i))),
  };
  const headings = {
    head: () => `Layer ${layer()}, head ${head()} (${now()[2][index()][0]})`,
    mean: () => `Layer ${layer()}, mean of its heads`,
    rollout: () => `Rollout up to layer ${layer()}, a heuristic`,
  };
  const step = () => (steps.length > 1 ? `step ${now()[0]}, ` : '');

  const tiles = Array.from({length: layers * heads}, (_, i) => make('div', {
    role: 'gridcell', class: 'tile', onclick: () => changed('head', Math.floor(i / heads), i % heads),
  }, make('canvas', {width: size, height: size}), make('span')));
  const onHead = keys(tiles, heads, (to) => changed('head', Math.floor(to / heads), to % heads));
  const grid = make('div', {role: 'grid', class: 'heads', 'aria-label': 'Heads, a row per layer', onkeydown: onHead});
  grid.append(...Array.from({length: layers}, (_, i) => make('div', {role: 'row'},
    make('span', {role: 'rowheader'}, `layer ${i}`), ...tiles.slice(i * heads, (i + 1) * heads))));

  const pick = (to) => changed('place', side, to);
  const chips = tokens.map((token, i) => make('div', {
    role: 'option', class: i && i === side.second ? 'chip second' : 'chip', onclick: () => pick(i),
  }, make('bdi', {}, token), make('span')));
  const strip = make('div', {
    role: 'listbox', class: 'chips', 'aria-orientation': 'horizontal', 'aria-label': 'Tokens',
    onkeydown: keys(chips, size, pick),
  }, ...chips);

  const map = make('div', {class: 'map scroll', role: 'group', tabindex: 0, 'aria-label': 'Heat map'});
  const readout = make('p', {class: 'readout'});
  const cellAt = (event) => {
    const group = map.querySelector('g');
    const [x, y] = [event.clientX, event.clientY];
    const point = new DOMPoint(x, y).matrixTransform(group.getScreenCTM().inverse());
    const [i, j] = [point.y, point.x].map((value) => Math.floor(value / group.dataset.cell));
    return i in tokens && j in tokens ? [i, j] : null;
  };
  map.onpointermove = (event) => {
    const found = cellAt(event);
    if (found) readout.textContent = `${called(tokens, found[0])} to ${called(tokens, found[1])}: ` +
      two(here.matrix[found[0]][found[1]]);
  };
  map.onclick = (event) => {
    const found = cellAt(event);
    if (found) pick(found[state.backwards ? 1 : 0]);
  };

  const words = make('p', {class: 'alt'});
  const save = async (kind) => {
    const svg = heatMap(here.matrix, tokens, {paper: '#ffffff', ink: '#1f2933', heat: '#08306b', alt: here.alt});
    const parts = kind === 'png' ? withDescription(await rastered(svg), here.alt) : [svg];
    const type = kind === 'png' ? 'image/png' : 'image/svg+xml';
    const link = make('a', {href: URL.createObjectURL(new Blob(parts, {type})), download: `attention.${kind}`});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const saving = make('div', {class: 'saving'},
    make('button', {onclick: () => save('svg')}, 'Save as SVG'), make('button', {onclick: () => save('png')}, 'Save as PNG'));

  const facts = make('table', {class: 'facts'});
  const numbers = make('div', {class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Weights as numbers'});
  const folded = make('details', {ontoggle: () => drawNumbers()}, make('summary', {}, 'All weights as numbers'), numbers);
  const without = make('div', {class: 'without'});

  function drawNumbers() {
    if (!folded.open) return;
    const heading = (token, scope) => make('th', {scope}, make('bdi', {}, token));
    numbers.replaceChildren(make('table', {},
      make('tr', {}, make('td'), ...tokens.map((token) => heading(token, 'col'))),
      ...here.matrix.map((row, i) => make('tr', {}, heading(tokens[i], 'row'),
        ...row.map((weight) => make('td', {}, two(weight)))))));
  }

  function drawTile(tile, number) {
    const pixels = new ImageData(size, size);
    const [red, green, blue] = channels(colour('heat'));
    const from = number * size * size;
    for (let i = 0; i < size * size; i++) {
      pixels.data.set([red, green, blue, Math.min(255, here.levels[from + i] * 255 / LEVELS)], 4 * i);
    }
    tile.firstChild.getContext('2d').putImageData(pixels, 0, 0);
    const pattern = now()[2][number][0];
    tile.lastChild.textContent = pattern.split(',')[0].replace(' token', '');
    tile.setAttribute('aria-label', `layer ${Math.floor(number / heads)}, head ${number % heads}: ${pattern}`);
  }

  function drawFacts() {
    const [, previous, next, same, delimiter, breadth, entropy, distance] = now()[2][index()];
    const rows = {
      'previous token': `${previous} %`, 'next token': `${next} %`, 'same token': `${same} %`,
      delimiters: `${delimiter} %`, entropy: `${two(entropy)} nats, ${breadth} % of the largest`,
      distance: `${distance.toFixed(1)} tokens on average`,
    };
    facts.replaceChildren(make('caption', {}, `Layer ${layer()}, head ${head()}: where its attention goes`),
      ...Object.entries(rows).map(([name, value]) => make('tr', {}, make('th', {scope: 'row'}, name), make('td', {}, value))));
  }

  const guessed = () => guesses && (guesses.places.find(([place]) => place === here.place) || guesses.places[0]);
  const list = (flat) => Array.from({length: flat.length / 2}, (_, i) =>
    `${guesses.words[flat[2 * i]]} ${(flat[2 * i + 1] / 10).toFixed(1)} %`).join(', ');

  function drawGuesses() {
    if (!guesses) return;
    const [place, full, cut] = guessed();
    const first = guesses.words[full[0]];
    const cell = (number) => {
      const [chance, best] = cut[number];
      const attributes = number === index() ? {'aria-current': 'true'} : {};
      return make('td', attributes, percent(chance / 1000), ...(best === full[0] ? [] : [' → ', guesses.words[best]]));
    };
    const indices = Array.from({length: heads}, (_, i) => i);
    without.replaceChildren(
      make('h3', {}, `What ${called(tokens, place)} becomes without a head`),
      make('p', {}, `With all heads: ${list(full)}.`),
      make('p', {}, `Without layer ${layer()}, head ${head()}: ${list(cut[index()].slice(1))}.`),
      make('div', {class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Each head cut'}, make('table', {},
        make('caption', {}, `Probability of ${first} without each head; → where another comes first`),
        make('tr', {}, make('td'), ...indices.map((i) => make('th', {scope: 'col'}, `head ${i}`))),
        ...Array.from({length: layers}, (_, i) => make('tr', {}, make('th', {scope: 'row'}, `layer ${i}`),
          ...indices.map((j) => cell(i * heads + j)))))));
  }

  const title = alone ? [] : [make('h2', {}, side.name)];
  const drawn = {
    node: make('section', {class: 'side', 'aria-label': side.name}, ...title,
      make('div', {class: 'column'}, make('div', {class: 'scroll'}, grid), facts, without),
      make('div', {class: 'column'}, strip, map, readout, saving,
        make('details', {}, make('summary', {}, 'Description of the picture'), words), folded)),
    step() {
      here.levels = levelsOf(now()[1]);
      tiles.forEach(drawTile);
    },
    head() {
      choose(tiles, index());
      here.matrix = shown[state.show]();
      here.alt = described(here.matrix, tokens, `${alone ? '' : `${side.name}: `}${step()}${headings[state.show]()}`);
      words.textContent = here.alt;
      const look = {paper: colour('paper'), ink: colour('ink'), heat: colour('heat'), alt: here.alt};
      map.innerHTML = heatMap(here.matrix, tokens, look);
      drawFacts();
      drawNumbers();
    },
    place() {
      choose(chips, here.place);
      const line = lineOf(here.matrix, here.place, state.backwards);
      chips.forEach((chip, i) => {
        [chip.style.background, chip.style.color] = shade(line[i], colour('paper'), colour('heat'));
        chip.lastChild.textContent = two(line[i]);
      });
      const group = map.querySelector('g');
      const cell = Number(group.dataset.cell);
      const [across, down] = state.backwards ? [1, size] : [size, 1];
      const corner = here.place * cell;
      group.querySelector('.chosen')?.remove();
      group.insertAdjacentHTML('beforeend', `<rect class='chosen' x='${state.backwards ? corner : 0}' ` +
        `y='${state.backwards ? 0 : corner}' width='${across * cell}' height='${down * cell}'/>`);
      readout.textContent = spoken(here.matrix, tokens, here.place, state.backwards);
      drawGuesses();
    },
    sentence(what) {
      const said = [spoken(here.matrix, tokens, here.place, state.backwards)];
      if (what !== 'place') said.unshift(`${headings[state.show]()}.`);
      if (what !== 'place' && guesses && state.show === 'head') {
        const [place, full, cut] = guessed();
        said.push(`${called(tokens, place)}: ${list(full.slice(0, 2))}; without this head ${list(cut[index()].slice(1, 3))}.`);
      }
      return `${alone ? '' : `${side.name}: `}${said.join(' ')}`;
    },
    take(other, to) {
      if (other === side || other.tokens.join('\n') === tokens.join('\n')) here.place = to;
    },
  };
  return drawn;
}

function rastered(svg) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => {
      const canvas = make('canvas', {width: 2 * image.width, height: 2 * image.height});
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(async (blob) => resolve(new Uint8Array(await blob.arrayBuffer())), 'image/png');
    };
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  });
}

function start(data, root) {
  const state = {step: Math.max(...data.sides.map((side) => side.steps.length)) - 1, show: 'head', backwards: false};
  [state.layer, state.head] = data.start;
  const live = make('p', {role: 'status', class: 'spoken'});
  const order = {step: 0, head: 1, place: 2};
  const changed = (what, ...value) => {
    if (what === 'head' && value.length) [state.layer, state.head] = value;
    if (what === 'place' && value.length) sides.forEach((side) => side.take(...value));
    for (const part of Object.keys(order)) {
      if (order[part] >= order[what]) sides.forEach((side) => side[part]());
    }
    const said = sides.map((side) => side.sentence(what));
    live.textContent = (what === 'step' && slider ? `Step ${output.value}. ` : '') + said.join(' ');
  };
  const sides = data.sides.map((side) => makeSide(data, side, state, changed));
  const longest = data.sides.map((side) => side.steps).sort((a, b) => b.length - a.length)[0];
  const output = make('output');
  const slider = longest.length > 1 && make('input', {type: 'range', min: 0, max: longest.length - 1, value: state.step});
  const showStep = () => {
    state.step = Number(slider.value);
    output.value = longest[state.step][0];
    slider.setAttribute('aria-valuetext', `step ${output.value}`);
  };
  if (slider) {
    slider.oninput = () => {
      showStep();
      changed('step');
    };
    showStep();
  }
  const select = (label, options, act) => make('label', {}, label, make('select', {
    onchange: (event) => {
      act(event.target.value);
      changed('head');
    },
  }, ...Object.entries(options).map(([value, text]) => make('option', {value}, text))));
  const views = {head: 'one head', mean: 'mean of the heads of a layer', rollout: 'rollout up to a layer (a heuristic)'};
  root.append(
    make('div', {class: 'bar'},
      select('Show ', views, (value) => { state.show = value; }),
      select('Numbers ', {from: 'what the token attends to', to: 'what attends to the token'},
        (value) => { state.backwards = value === 'to'; }),
      ...(slider ? [make('label', {class: 'steps'}, 'Training step ', slider, output)] : [])),
    live, make('div', {class: 'sides'}, ...sides.map((side) => side.node)), make('p', {class: 'caveat'}, data.caveat));
  changed('step');
  matchMedia('(prefers-color-scheme: dark)').onchange = () => changed('step');
}

if (typeof document !== 'undefined') {
  const source = document.querySelector('script[type="application/json"]');
  start(JSON.parse(source.textContent), source.parentElement);
}
