// The attention explorer, part 1: numbers, words and pictures, as functions of their arguments alone.
// Part 2, explorer_panels.js, has its tables and lists; part 3, explorer_page.js, puts them on the page. No dependency;
// a comment stands on a line of its own and an instruction ends on its line, because the page is given the files
// without comments and indentation.
'use strict';

const FAINT = 0.05;
const WIDE = 22;

const {ceil, floor, max, min, round} = Math;
const join = (list, draw) => Array.from(list, draw).join('');
const times = (count, draw) => join({length: count}, (_, i) => draw(i));
const two = (number) => number.toFixed(2);
const percent = (perMille) => `${(perMille / 10).toFixed(1)} %`;
const escapeXml = (text) => text.replace(/[<>&'"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
const marked = (token) => `<bdi>${escapeXml(token)}</bdi>`;

// One character a weight, its hundredths: those from "?" on that neither HTML nor JSON has to escape, then from "À" on.
// No digits, so that no weights look like a number or a date.
const ALPHABET = Array.from({length: 230}, (_, code) => code)
  .filter((code) => (code < 127 ? code > 62 && code !== 92 : code > 191));

function weightsOf(text) {
  const level = new Map(ALPHABET.map((code, i) => [String.fromCharCode(code), i]));
  return Array.from(text, (letter) => level.get(letter) / 100);
}

// Square number so and so of those that stand one after the other, as rows.
function matrixOf(weights, size, index) {
  return Array.from({length: size}, (_, i) => weights.slice((index * size + i) * size, (index * size + i + 1) * size));
}

// What one token takes from each, or, the other way round, what each takes from it.
function lineOf(matrix, place, backwards) {
  return backwards ? matrix.map((row) => row[place]) : matrix[place];
}

function strongest(line, most) {
  return line.map((_, j) => j).sort((a, b) => line[b] - line[a] || a - b).slice(0, most);
}

// A token by name, and by place too where the name occurs again.
function called(tokens, place) {
  const token = tokens[place];
  return tokens.indexOf(token) === tokens.lastIndexOf(token) ? token : `${token} (token ${place})`;
}

function spoken(matrix, tokens, place, backwards) {
  const line = lineOf(matrix, place, backwards);
  const others = strongest(line, 3).filter((j) => line[j] >= FAINT);
  const list = others.map((j) => `${j === place ? 'itself' : called(tokens, j)} ${two(line[j])}`);
  const verb = backwards ? 'is attended to by' : 'attends to';
  return `${called(tokens, place)} ${verb} ${list.join(', ') || `no token by ${FAINT} or more`}.`;
}

// The picture in words, by rule.
function described(matrix, tokens, heading) {
  const pairs = matrix.flatMap((row, i) => row.map((weight, j) => [weight, i, j])).filter(([weight]) => weight);
  pairs.sort((a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2]);
  const top = pairs.slice(0, 3).map(([weight, i, j]) => `${called(tokens, i)} to ${called(tokens, j)} ${two(weight)}`);
  return `${heading}. Heat map of attention between ${tokens.length} tokens: ${tokens.join(' ')}. ` +
    `Strongest: ${top.join(', ') || 'none'}.`;
}

// Where a key leads in rows of so many columns; undefined for a key that means something else.
function moved(key, at, columns, count) {
  const column = at % columns;
  const step = {
    ArrowLeft: column ? -1 : 0, ArrowRight: column < columns - 1 ? 1 : 0, Home: -column, End: columns - 1 - column,
    ArrowUp: -columns, ArrowDown: columns,
  }[key];
  if (step === undefined) return undefined;
  return at + step >= 0 && at + step < count ? at + step : at;
}

function channels(colour) {
  return [1, 3, 5].map((from) => parseInt(colour.trim().slice(from, from + 2), 16));
}

function luminance(colour) {
  const [red, green, blue] = channels(colour).map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// Paper at 0, full heat at 1, and black or white on it, whichever reads better: 4.5 : 1 at the least, always.
function shade(weight, paper, heat) {
  const [from, to] = [channels(paper), channels(heat)];
  const mixed = from.map((value, i) => round(value + (to[i] - value) * min(weight, 1)));
  const back = `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
  return [back, luminance(back) > 0.179 ? '#000000' : '#ffffff'];
}

// How large a heat map is in a given width: its cells, letters, margins, and the whole. layout.py has the same.
function mapSize(tokens, room) {
  const count = tokens.length;
  const longest = min(14, max(...tokens.map((token) => [...token].length)));
  const margin = 10 + 7.8 * longest;
  const cell = max(10, min(30, floor(480 / count), floor((room - 1.55 * margin - 2) / count)));
  const [left, top] = [ceil(margin), ceil(margin * 0.9 + 22)];
  return {cell, left, top, width: max(360, left + cell * count + ceil(margin * 0.55)), height: top + cell * count + 4};
}

// Rows are the tokens that take, columns those that they take from.
function heatMap(matrix, tokens, look) {
  const {cell, left, top, width, height} = mapSize(tokens, look.room || 700);
  const [font, side] = [min(12, cell), cell * tokens.length];
  const names = tokens.map((token) => [...token])
    .map((name) => (name.length > 14 ? [...name.slice(0, 13), '…'] : name));
  const shadeOf = (weight) => shade(weight, look.paper, look.heat);
  const paths = new Map();
  const parts = [];
  matrix.forEach((row, i) => row.forEach((weight, j) => {
    const level = round(weight * 100);
    if (level) paths.set(level, `${paths.get(level) || ''}M${j * cell} ${i * cell}h${cell}v${cell}h-${cell}z`);
    if (cell >= WIDE && level >= 10) {
      parts.push(`<text x='${(j + 0.5) * cell}' y='${(i + 0.66) * cell}' fill='${shadeOf(level / 100)[1]}' ` +
        `text-anchor='middle'>${level > 99 ? 1 : `.${level}`}</text>`);
    }
  }));
  const cells = [...paths].map(([level, d]) => `<path fill='${shadeOf(level / 100)[0]}' d='${d}'/>`);
  const labels = names.map((letters, i) => {
    const name = escapeXml(letters.join(''));
    const middle = (i + 0.5) * cell + font / 3;
    return `<text x='-5' y='${middle}' text-anchor='end'>${name}</text>` +
      `<text transform='translate(${middle} -5) rotate(-60)'>${name}</text>`;
  });
  const scale = [0, 0.25, 0.5, 0.75, 1].map((weight, i) => {
    const [back, ink] = shadeOf(weight);
    return `<rect x='${205 + 30 * i}' y='2' width='30' height='15' fill='${back}' stroke='${look.ink}'/>` +
      `<text x='${220 + 30 * i}' y='13' fill='${ink}' text-anchor='middle'>${weight}</text>`;
  });
  const alt = escapeXml(look.alt);
  return `<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='${alt}' width='${width}' height='${height}' ` +
    `viewBox='0 0 ${width} ${height}' font-family='DejaVu Sans,sans-serif' font-size='${font}' fill='${look.ink}'>` +
    `<desc>${alt}</desc><rect width='100%' height='100%' fill='${look.paper}'/>` +
    `<g font-size='11'><text x='4' y='13'>rows: token · columns: attends to</text>${scale.join('')}</g>` +
    `<g transform='translate(${left} ${top})' class='cells' data-cell='${cell}'>${cells.join('')}` +
    `<rect width='${side}' height='${side}' fill='none' stroke='${look.ink}'/>` +
    `${labels.join('')}${parts.join('')}</g></svg>`;
}

function checksum(bytes) {
  let rest = -1;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 3988292384 : 0);
  }
  return ~rest;
}

// The PNG with its description inside, as the chunk "iTXt" straight after the header (PNG specification, 11.3.4.5).
function withDescription(png, text) {
  const body = new TextEncoder().encode(`iTXtDescription\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(body.length + 8);
  new DataView(chunk.buffer).setUint32(0, body.length - 4);
  chunk.set(body, 4);
  new DataView(chunk.buffer).setInt32(body.length + 4, checksum(body));
  return [png.slice(0, 33), chunk, png.slice(33)];
}
