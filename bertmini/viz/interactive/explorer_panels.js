// The attention explorer, part 2: tables and lists as HTML, as functions of their arguments alone.

// All that a side will ever hold, still without weights; `differs` says where the other side has another token.
function skeleton({name, tokens, layers, heads, second}, alone, differs) {
  const square = `<canvas width=${tokens.length} height=${tokens.length}></canvas>`;
  const tile = `<div class=tile role=gridcell aria-selected=false>${square}<span></span></div>`;
  const row = (i) => `<div role=row><span role=rowheader>layer ${i}</span>${tile.repeat(heads)}</div>`;
  const chip = (token, i) => `<div class='chip${i && i === second ? ' second' : ''}${differs(i) ? ' differs' : ''}' ` +
    `role=option aria-selected=false>${marked(token)}<span></span></div>`;
  return `${alone ? '' : `<h2>${escapeXml(name)}</h2>`}
<div class=overview><div class=scroll><div class='heads${heads > 8 ? ' many' : ''}' role=grid
aria-label='Heads, a row per layer'>${times(layers, row)}</div></div><table class=facts></table></div>
<div class=picture>
<div class=chips role=listbox aria-orientation=horizontal aria-label=Tokens>${join(tokens, chip)}</div>
<div class='map scroll' role=group tabindex=0 aria-label='The weights'></div><p class=readout></p>
<p><button>Save as SVG</button> <button>Save as PNG</button></p></div>
<div class=without></div><div class=found></div>`;
}

function weightTable(matrix, tokens) {
  const row = (weights, i) => `<tr><th scope=row>${marked(tokens[i])}${join(weights, (weight) => `<td>${two(weight)}`)}`;
  return `<table class=numbers><tr><td>${join(tokens, (token) => `<th scope=col>${marked(token)}`)}` +
    `${join(matrix, row)}</table>`;
}

function factTable([, , previous, next, same, delimiters, breadth, entropy, distance], heading) {
  const facts = {
    'previous token': `${previous} %`, 'next token': `${next} %`, 'same token': `${same} %`,
    delimiters: `${delimiters} %`, entropy: `${two(entropy)} nats`, 'of the largest entropy': `${breadth} %`,
    'mean distance': `${distance.toFixed(1)} tokens`,
  };
  const rows = join(Object.entries(facts), ([name, value]) => `<tr><th scope=row>${name}<td>${value}`);
  return [`<caption>${heading}</caption>${rows}`, Object.entries(facts).map((fact) => fact.join(' ')).join(', ')];
}

// Guesses as [word, per mille, word, per mille, ...], the words by number.
const pairsOf = (flat, words) =>
  Array.from({length: flat.length / 2}, (_, i) => [words[flat[2 * i]], flat[2 * i + 1]]);
const listed = (flat, words) => pairsOf(flat, words).map(([word, chance]) => `${word} ${percent(chance)}`).join(', ');

// The guess at one place with all heads and without the chosen one, then the first word without each head.
function guessPanel([, whole, cut], words, [layer, head], [layers, heads], asked, level) {
  const bars = (flat, caption) => `<table class=bars><caption>${caption}</caption>` +
    `${join(pairsOf(flat, words), ([word, chance]) =>
      `<tr><th scope=row>${marked(word)}<td>${percent(chance)}<td><i style='width:${chance / 10}%'></i>`)}</table>`;
  const cell = (number) => `<td${number === layer * heads + head ? ' aria-current=true' : ''}>` +
    `${(cut[number][0] / 10).toFixed(1)}${cut[number][1] === whole[0] ? '' : ` → ${marked(words[cut[number][1]])}`}`;
  const row = (i) => `<tr><th scope=row>layer ${i}${times(heads, (j) => cell(i * heads + j))}`;
  return `<h${level}>${escapeXml(asked)} without a head</h${level}>
<div class=pair>${bars(whole, 'With all heads')}
${bars(cut[layer * heads + head].slice(1), `Without layer ${layer}, head ${head}`)}</div>
<div class=scroll role=group tabindex=0 aria-label='Each head cut'><table class=cuts>
<caption>“${escapeXml(words[whole[0]])}”, in %, without each head; → if another comes first</caption>
<tr><td>${times(heads, (i) => `<th scope=col>head ${i}`)}${times(layers, row)}</table></div>`;
}

// Where one head gives most in a corpus: the token that asks is framed, the others are as dark as what it takes there.
function foundPanel({texts, heads}, index, colours, level) {
  const [pattern, firings] = heads[index];
  const item = ([text, asks, asked, row]) => {
    const weights = weightsOf(row);
    const token = (name, i) => {
      const [back, ink] = shade(weights[i], ...colours);
      return `<bdi${i === asks ? ' class=asks' : ''} style='background:${back};color:${ink}'>${escapeXml(name)}</bdi>`;
    };
    return `<li><b>${marked(texts[text][asks])} to ${marked(texts[text][asked])} ${two(weights[asked])}</b> ` +
      `<span>${texts[text].map(token).join(' ')}</span>`;
  };
  return `<h${level}>Where this head gives most in ${texts.length} texts</h${level}>
<p>On average over them: ${pattern}. The strongest weight between two words of a text, and what else that word takes:</p>
<ol>${join(firings, item)}</ol>`;
}
