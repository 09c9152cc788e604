// The attention explorer, part 3: the page. Parts 1 and 2 have the functions that need no page.
// One state for all: text, training step, layer, head, what is shown; each side has a token of its own. Whatever
// changes is drawn anew and said in one sentence, which screen readers speak. All of it belongs to the chosen step.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

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

async function save(name, svg, alt) {
  const [parts, type] = name.endsWith('png') ? [withDescription(await rastered(svg), alt), 'image/png'] :
    [[svg], 'image/svg+xml'];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, {type}));
  link.download = name;
  link.click();
}

function makeSide(side, other, state, changed, {words, found}) {
  const {tokens, layers, heads, steps} = side;
  const [size, alone] = [tokens.length, !other];
  const level = alone ? 2 : 3;
  const differs = (i) => other && other.tokens.length === size && other.tokens[i] !== tokens[i];
  const node = document.createElement('section');
  const left = 56 + heads * (heads > 8 ? 50 : 74);
  node.style.setProperty('--left', `${max(left, 250)}px`);
  const panels = steps.some(([, , , guesses, search]) => guesses.length || found[search]);
  node.className = `side${left > 420 ? ' wide' : ''}${panels ? ' panels' : ''}`;
  node.ariaLabel = side.name;
  node.innerHTML = skeleton(side, alone, differs);
  const find = (selector) => node.querySelector(selector);
  const [tiles, chips, buttons] = ['.tile', '.chip', 'button'].map((selector) => [...node.querySelectorAll(selector)]);
  const [map, readout] = ['.map', '.readout'].map(find);

  let place = side.place;
  let weights, matrix, alt, room;
  const layer = () => min(state.layer, layers - 1);
  const head = () => min(state.head, heads - 1);
  const index = () => layer() * heads + head();
  const [step, , facts, guesses, search] = [0, 1, 2, 3, 4].map((part) => () => steps[min(state.step, steps.length - 1)][part]);
  const start = () => `${alone ? '' : `${side.name}: `}${steps.length > 1 ? `Step ${step()}. ` : ''}`;
  // Heads first, then the means of the layers, then the rollouts.
  const views = {
    head: () => [index(), `Layer ${layer()}, head ${head()} (${facts()[index()][0]})`],
    mean: () => [layers * heads + layer(), `Layer ${layer()}, mean of its heads`],
    rollout: () => [
      layers * (heads + 1) + layer(),
      `Rollout up to layer ${layer()}, a heuristic: (A + I)/2 multiplied over the layers`,
    ],
  };

  steer(find('.heads'), tiles, heads, (to) => changed('head', floor(to / heads), to % heads));
  const pick = (to) => changed('place', tokens, to);
  steer(find('.chips'), chips, size, pick);

  const cellAt = (event) => {
    const group = map.querySelector('.cells');
    if (!group) return false;
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

  function drawTile(tile, number) {
    const pixels = new ImageData(size, size);
    const ink = channels(colour('heat'));
    weights.slice(number * size * size, (number + 1) * size * size).forEach((weight, i) =>
      pixels.data.set([...ink, weight * 255], 4 * i));
    tile.firstChild.getContext('2d').putImageData(pixels, 0, 0);
    const [said, label] = facts()[number];
    tile.lastChild.textContent = heads > 8 ? label.replace('previous', 'prev').replace('delimiter', 'delim') : label;
    tile.ariaLabel = `layer ${floor(number / heads)}, head ${number % heads}: ${said}`;
  }

  // The weights as a heat map, as numbers or in words.
  function drawMap() {
    room = map.clientWidth;
    const look = {paper: colour('paper'), ink: colour('ink'), heat: colour('heat'), alt, room: room - 8};
    map.innerHTML = {
      map: () => heatMap(matrix, tokens, look),
      numbers: () => weightTable(matrix, tokens),
      words: () => `<p class=alt>${escapeXml(alt)}</p>`,
    }[state.draw]();
    readout.textContent = state.draw === 'map' ? 'Point at a cell to read its weight.' : '';
  }

  const guessed = () => guesses().find(([at]) => at === place) || guesses()[0];
  function drawPanels() {
    const [guess, corpus] = [guesses().length && guessed(), found[search()]];
    find('.without').innerHTML = guess ?
      guessPanel(guess, words, [layer(), head()], [layers, heads], called(tokens, guess[0]), level) : '';
    find('.found').innerHTML = corpus ? foundPanel(corpus, index(), [colour('paper'), colour('heat')], level) : '';
  }

  const drawn = {
    node,
    takes: (others) => others.join('\n') === tokens.join('\n'),
    step() {
      weights = weightsOf(steps[min(state.step, steps.length - 1)][1]);
      tiles.forEach(drawTile);
    },
    head() {
      choose(tiles, index());
      const [number, heading] = views[state.show]();
      const [table, numbers] = factTable(facts()[index()], `Layer ${layer()}, head ${head()}, in this text`);
      matrix = matrixOf(weights, size, number);
      alt = described(matrix, tokens, `${start()}${heading}`);
      if (state.show === 'head') alt += ` ${numbers}.`;
      find('.facts').innerHTML = table;
      drawMap();
    },
    place(to = place) {
      place = min(to, size - 1);
      choose(chips, place);
      lineOf(matrix, place, state.backwards).forEach((weight, i) => {
        const {style, lastChild} = chips[i];
        [style.background, style.color] = shade(weight, colour('paper'), colour('heat'));
        lastChild.textContent = weight ? two(weight) : '0';
      });
      const group = map.querySelector('.cells');
      if (group) {
        const edges = [0, place, size, 1].map((number) => number * group.dataset.cell);
        const [x, y, w, h] = state.backwards ? [1, 0, 3, 2].map((i) => edges[i]) : edges;
        group.querySelector('.chosen')?.remove();
        group.insertAdjacentHTML('beforeend', `<rect class=chosen x=${x} y=${y} width=${w} height=${h} />`);
      }
      drawPanels();
    },
    sentence(what) {
      const said = spoken(matrix, tokens, place, state.backwards);
      if (what === 'place') return start() + said;
      if (!guesses().length || state.show !== 'head') return `${start()}${views[state.show]()[1]}. ${said}`;
      const [at, whole, cut] = guessed();
      return `${start()}${views.head()[1]}. ${said} ${called(tokens, at)} with all heads: ` +
        `${listed(whole.slice(0, 2), words)}; without this one: ${listed(cut[index()].slice(1, 3), words)}.`;
    },
  };
  // The heat map is as wide as there is room for.
  new ResizeObserver(() => {
    if (!matrix || map.clientWidth === room) return;
    drawMap();
    drawn.place();
  }).observe(map);
  return drawn;
}

function start(data, source) {
  const option = ({name}, i) => `<option value=${i}>${escapeXml(name)}`;
  source.insertAdjacentHTML('beforebegin', `<div class=bar>
<label>Text <select id=text>${join(data.texts, option)}</select></label>
<label>Training step <input id=step type=range><output></output></label>
<label>Show <select id=show><option value=head>one head<option value=mean>mean of a layer's heads
<option value=rollout>rollout up to a layer (a heuristic)</select></label>
<label>as <select id=draw><option value=map>heat map<option value=numbers>numbers<option value=words>words</select></label>
<label>At the tokens <select id=way><option>what the token attends to<option>what attends to the token</select></label></div>
<p class=spoken role=status></p><div class=sides></div><p class=note>${data.note}</p>`);
  const find = (selector) => source.parentElement.querySelector(selector);
  const [text, slider, show, draw, way] = ['#text', '#step', '#show', '#draw', '#way'].map(find);
  const state = {layer: data.start[0], head: data.start[1]};
  let sides, steps;
  if (data.texts.length < 2) text.parentElement.hidden = true;

  // After a change of the training step all is drawn; of the head, all but the small pictures; of the token, its line.
  const changed = (what, ...value) => {
    if (what === 'step') sides.forEach((side) => side.step());
    if (what === 'head') [state.layer, state.head] = value;
    if (what !== 'place') sides.forEach((side) => side.head());
    const touched = sides.filter((side) => what !== 'place' || side.takes(value[0]));
    touched.forEach((side) => side.place(what === 'place' ? value[1] : undefined));
    find('.spoken').textContent = touched.map((side) => side.sentence(what)).join(' ');
  };
  slider.oninput = () => {
    state.step = Number(slider.value);
    find('output').value = steps[state.step][0];
    slider.setAttribute('aria-valuetext', `step ${steps[state.step][0]}`);
    changed('step');
  };
  show.onchange = draw.onchange = way.onchange = () => {
    Object.assign(state, {show: show.value, draw: draw.value, backwards: way.selectedIndex > 0});
    changed('head', state.layer, state.head);
  };
  text.onchange = () => {
    const chosen = data.texts[text.value].sides;
    steps = chosen.map((side) => side.steps).sort((a, b) => b.length - a.length)[0];
    slider.max = steps.length - 1;
    slider.value = min(state.step ?? Infinity, steps.length - 1);
    slider.parentElement.hidden = steps.length < 2;
    sides = chosen.map((side, i) => makeSide(side, chosen[1 - i], state, changed, data));
    find('.sides').replaceChildren(...sides.map((side) => side.node));
    find('.sides').className = `sides${chosen[1] ? '' : ' alone'}`;
    Object.assign(state, {show: show.value, draw: draw.value, backwards: way.selectedIndex > 0});
    slider.oninput();
  };
  matchMedia('(prefers-color-scheme: dark)').onchange = slider.oninput;
  text.onchange();
}

const source = document.querySelector('script[type*=json]');
start(JSON.parse(source.textContent), source);
