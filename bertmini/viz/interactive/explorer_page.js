// The attention explorer, part 2: the page. Part 1, explorer.js, has the functions that need no page.
// One state for all: training step, layer, head, what is shown; each side has a token of its own. Whatever changes is
// drawn anew and said in one sentence, which screen readers speak.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const join = (list, draw) => Array.from(list, draw).join('');
const times = (count, draw) => join({length: count}, (_, i) => draw(i));
const marked = (token) => `<bdi>${escapeXml(token)}</bdi>`;

// Only the chosen one of some items is reached by Tab; the arrow keys lead from it to the others.
function choose(items, at) {
  items.forEach((item, i) => {
    item.tabIndex = i === at ? 0 : -1;
    item.ariaSelected = i === at;
  });
}

// Items in rows of so many columns: a click or a key calls `go` with the number of the one that is meant.
function steer(box, items, columns, go) {
  box.onclick = (event) => {
    const at = items.indexOf(event.target.closest('[aria-selected]'));
    if (at >= 0) go(at);
  };
  box.onkeydown = (event) => {
    const to = moved(event.key, items.indexOf(event.target), columns, items.length);
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(to);
    items[to].focus();
  };
}

function rastered(svg) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(async (blob) => resolve(new Uint8Array(await blob.arrayBuffer())));
    };
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  });
}

// All that a side will ever hold, still without weights.
function skeleton({name, tokens, layers, heads, second}, alone) {
  const square = `<canvas width=${tokens.length} height=${tokens.length}></canvas>`;
  const tile = `<div class=tile role=gridcell aria-selected=false>${square}<span></span></div>`;
  const row = (i) => `<div role=row><span role=rowheader>layer ${i}</span>${tile.repeat(heads)}</div>`;
  const chip = (token, i) => `<div class='chip${i && i === second ? ' second' : ''}' role=option aria-selected=false>` +
    `${marked(token)}<span></span></div>`;
  return `${alone ? '' : `<h2>${escapeXml(name)}</h2>`}
<div class=scroll><div class='heads${heads > 8 ? ' many' : ''}' role=grid aria-label='Heads, a row per layer'>
${times(layers, row)}</div></div>
<div class=picture>
<div class=chips role=listbox aria-orientation=horizontal aria-label=Tokens>${join(tokens, chip)}</div>
<div class='map scroll' role=group tabindex=0 aria-label='Heat map'></div><p class=readout></p>
<button>Save as SVG</button> <button>Save as PNG</button>
<details><summary>Description of the picture</summary><p class=alt></p></details>
<details class=numbers><summary>All weights as numbers</summary>
<div class='table scroll' role=group tabindex=0 aria-label=Weights></div></details></div>
<div><table class=facts></table><div class=without></div></div>`;
}

function weightTable(matrix, tokens) {
  const cell = (weight) => `<td>${two(weight)}`;
  const row = (weights, i) => `<tr><th scope=row>${marked(tokens[i])}${join(weights, cell)}`;
  return `<table><tr><td>${join(tokens, (token) => `<th scope=col>${marked(token)}`)}${join(matrix, row)}</table>`;
}

async function save(name, svg, alt) {
  const [parts, type] = name.endsWith('png') ? [withDescription(await rastered(svg), alt), 'image/png'] :
    [[svg], 'image/svg+xml'];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, {type}));
  link.download = name;
  link.click();
}

function makeSide(side, alone, state, changed) {
  const {tokens, layers, heads, steps, guesses} = side;
  const size = tokens.length;
  const start = alone ? '' : `${side.name}: `;
  const node = document.createElement('section');
  node.className = 'side';
  node.ariaLabel = side.name;
  node.innerHTML = skeleton(side, alone);
  const find = (selector) => node.querySelector(selector);
  const [tiles, chips, buttons] = ['.tile', '.chip', 'button'].map((selector) => [...node.querySelectorAll(selector)]);
  const [map, readout, numbers] = ['.map', '.readout', '.numbers'].map(find);

  let place = side.place;
  let levels, rolled, matrix, alt;
  const layer = () => min(state.layer, layers - 1);
  const head = () => min(state.head, heads - 1);
  const index = () => layer() * heads + head();
  const now = () => steps[min(state.step, steps.length - 1)];
  const headMatrix = (number) => matrixOf(levels, size, number);
  const mean = (number) => meanOf(Array.from({length: heads}, (_, i) => headMatrix(number * heads + i)));
  const views = {
    head: () => [headMatrix(index()), `Layer ${layer()}, head ${head()} (${now()[2][index()][0]})`],
    mean: () => [mean(layer()), `Layer ${layer()}, mean of its heads`],
    rollout: () => [
      matrixOf(rolled, size, layer()),
      `Rollout up to layer ${layer()}, a heuristic: (A + I)/2 multiplied over the layers`,
    ],
  };

  steer(find('.heads'), tiles, heads, (to) => changed('head', floor(to / heads), to % heads));
  const pick = (to) => changed('place', tokens, to);
  steer(find('.chips'), chips, size, pick);

  const cellAt = (event) => {
    const group = map.querySelector('.cells');
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(group.getScreenCTM().inverse());
    const cell = [point.y, point.x].map((value) => floor(value / group.dataset.cell));
    return cell.every((i) => i in tokens) && cell;
  };
  map.onpointermove = (event) => {
    const [i, j] = cellAt(event) || [];
    if (j >= 0) readout.textContent = `${called(tokens, i)} to ${called(tokens, j)}: ${two(matrix[i][j])}`;
  };
  map.onclick = (event) => {
    const cell = cellAt(event);
    if (cell) pick(cell[state.backwards ? 1 : 0]);
  };

  buttons.forEach((button, i) => {
    const look = {paper: '#ffffff', ink: '#1f2933', heat: '#08306b'};
    button.onclick = () => save(`attention.${['svg', 'png'][i]}`, heatMap(matrix, tokens, {...look, alt}), alt);
  });

  numbers.ontoggle = () => {
    if (numbers.open) find('.table').innerHTML = weightTable(matrix, tokens);
  };

  function drawTile(tile, number) {
    const pixels = new ImageData(size, size);
    const ink = channels(colour('heat'));
    levels.slice(number * size * size, (number + 1) * size * size).forEach((level, i) =>
      pixels.data.set([...ink, level * 255 / LEVELS], 4 * i));
    tile.firstChild.getContext('2d').putImageData(pixels, 0, 0);
    const words = now()[2][number][0];
    tile.lastChild.textContent = words.split(',')[0].replace(' token', '');
    tile.ariaLabel = `layer ${floor(number / heads)}, head ${number % heads}: ${words}`;
  }

  const shares = () => {
    const [, previous, next, same, delimiters, breadth, entropy, distance] = now()[2][index()];
    return {
      'previous token': `${previous} %`, 'next token': `${next} %`, 'same token': `${same} %`,
      delimiters: `${delimiters} %`, entropy: `${two(entropy)} nats, ${breadth} % of the largest`,
      'mean distance': `${distance.toFixed(1)} tokens`,
    };
  };

  const guessed = () => guesses.places.find(([at]) => at === place) || guesses.places[0];
  const word = (number) => escapeXml(guesses.words[number]);
  const list = (flat) => join({length: flat.length / 2}, (_, i) =>
    `${i ? ', ' : ''}${guesses.words[flat[2 * i]]} ${(flat[2 * i + 1] / 10).toFixed(1)} %`);

  function drawGuesses() {
    const [at, whole, cut] = guessed();
    const level = alone ? 2 : 3;
    const cell = (number) => `<td${number === index() ? ' aria-current=true' : ''}>${round(cut[number][0] / 10)} %` +
      (cut[number][1] === whole[0] ? '' : ` → ${word(cut[number][1])}`);
    const row = (i) => `<tr><th scope=row>layer ${i}${times(heads, (j) => cell(i * heads + j))}`;
    find('.without').innerHTML = `<h${level}>What ${escapeXml(called(tokens, at))} becomes without a head</h${level}>
<p>With all heads: ${escapeXml(list(whole))}.
<p>Without layer ${layer()}, head ${head()}: ${escapeXml(list(cut[index()].slice(1)))}.
<div class=scroll role=group tabindex=0 aria-label='Each head cut'><table>
<caption>Probability of “${word(whole[0])}” without each head; → if another comes first</caption>
<tr><td>${times(heads, (i) => `<th scope=col>head ${i}`)}${times(layers, row)}</table></div>`;
  }

  return {
    node,
    takes: (others) => others.join('\n') === tokens.join('\n'),
    step() {
      [levels, rolled] = [now()[1], now()[3]].map(levelsOf);
      tiles.forEach(drawTile);
    },
    head() {
      choose(tiles, index());
      const facts = Object.entries(shares());
      let heading;
      [matrix, heading] = views[state.show]();
      alt = described(matrix, tokens, `${start}${steps.length > 1 ? `Step ${now()[0]}. ` : ''}${heading}`);
      if (state.show === 'head') alt += ` ${facts.map((fact) => fact.join(' ')).join(', ')}.`;
      find('.alt').textContent = alt;
      map.innerHTML = heatMap(matrix, tokens, {paper: colour('paper'), ink: colour('ink'), heat: colour('heat'), alt});
      find('.facts').innerHTML = `<caption>Layer ${layer()}, head ${head()}: where its attention goes</caption>` +
        join(facts, ([name, value]) => `<tr><th scope=row>${name}<td>${value}`);
      numbers.ontoggle();
    },
    place(to = place) {
      place = min(to, size - 1);
      choose(chips, place);
      lineOf(matrix, place, state.backwards).forEach((weight, i) => {
        const {style, lastChild} = chips[i];
        [style.background, style.color] = shade(weight, colour('paper'), colour('heat'));
        lastChild.textContent = weight < 0.005 ? '0' : two(weight);
      });
      const group = map.querySelector('.cells');
      const edges = [0, place, size, 1].map((number) => number * group.dataset.cell);
      const [x, y, w, h] = state.backwards ? [1, 0, 3, 2].map((i) => edges[i]) : edges;
      group.querySelector('.chosen')?.remove();
      group.insertAdjacentHTML('beforeend', `<rect class=chosen x=${x} y=${y} width=${w} height=${h} />`);
      readout.textContent = spoken(matrix, tokens, place, state.backwards);
      if (guesses) drawGuesses();
    },
    sentence(what) {
      const said = spoken(matrix, tokens, place, state.backwards);
      if (what === 'place') return start + said;
      if (!guesses || state.show !== 'head') return `${start}${views[state.show]()[1]}. ${said}`;
      const [at, whole, cut] = guessed();
      return `${start}${views.head()[1]}. ${said} ${called(tokens, at)} with all heads: ${list(whole.slice(0, 2))}; ` +
        `without this one: ${list(cut[index()].slice(1, 3))}.`;
    },
  };
}

function start(data, source) {
  const longest = data.sides.map((side) => side.steps).sort((a, b) => b.length - a.length)[0];
  const state = {step: longest.length - 1, layer: data.start[0], head: data.start[1], show: 'head', backwards: false};
  source.insertAdjacentHTML('beforebegin', `<div class=bar>
<label>Show <select><option value=head>one head<option value=mean>mean of a layer's heads
<option value=rollout>rollout up to a layer (a heuristic)</select></label>
<label>Numbers <select><option>what the token attends to<option>what attends to the token</select></label>
<label>Training step <input type=range max=${state.step} value=${state.step}><output></output></label></div>
<p class=spoken role=status></p>
<div class='sides${data.sides[1] ? '' : ' alone'}'></div><p class=note>${data.note}</p>`);
  const find = (selector) => source.parentElement.querySelector(selector);
  const [show, direction, slider] = find('.bar').querySelectorAll('select, input');
  if (!state.step) slider.parentElement.hidden = true;

  // After a change of the training step all is drawn; of the head, all but the small pictures; of the token, its line.
  const changed = (what, ...value) => {
    if (what === 'step') sides.forEach((side) => side.step());
    if (what === 'head') [state.layer, state.head] = value;
    if (what !== 'place') sides.forEach((side) => side.head());
    const touched = sides.filter((side) => what !== 'place' || side.takes(value[0]));
    touched.forEach((side) => side.place(what === 'place' ? value[1] : undefined));
    const step = what === 'step' && state.step ? `Step ${find('output').value}. ` : '';
    find('.spoken').textContent = step + touched.map((side) => side.sentence(what)).join(' ');
  };
  const sides = data.sides.map((side) => makeSide(side, data.sides.length === 1, state, changed));
  find('.sides').append(...sides.map((side) => side.node));
  show.onchange = direction.onchange = () => {
    [state.show, state.backwards] = [show.value, direction.selectedIndex > 0];
    changed('head', state.layer, state.head);
  };
  slider.oninput = () => {
    state.step = Number(slider.value);
    find('output').value = longest[state.step][0];
    slider.setAttribute('aria-valuetext', `step ${longest[state.step][0]}`);
    changed('step');
  };
  matchMedia('(prefers-color-scheme: dark)').onchange = slider.oninput;
  slider.oninput();
}

const source = document.querySelector('script[type*=json]');
start(JSON.parse(source.textContent), source);
