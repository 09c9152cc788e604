// The explorer's functions without a page, by Node's own test runner: node --test tests/explorer.test.cjs
// tests/test_viz_interactive_explorer.py calls it. Worked by hand, except where a random oracle says more.
'use strict';

const assert = require('node:assert/strict');
const {readFileSync} = require('node:fs');
const {join} = require('node:path');
const {test} = require('node:test');
const {runInThisContext} = require('node:vm');

// As in a page: the functions become global.
for (const name of ['explorer.js', 'explorer_panels.js']) {
  const file = join(__dirname, '..', 'bertmini', 'viz', 'interactive', name);
  runInThisContext(readFileSync(file, 'utf8'), file);
}
const explorer = globalThis;
const vm = (expression) => runInThisContext(expression);

const near = (actual, expected, within = 1e-9) => {
  assert.equal(actual.length, expected.length);
  actual.forEach((row, i) => row.forEach((value, j) => assert.ok(
    Math.abs(value - expected[i][j]) <= within, `row ${i}, column ${j}: ${value}, expected ${expected[i][j]}`)));
};

const TOKENS = ['[CLS]', 'the', 'the', 'cat'];
const HEAD = [[1, 0, 0, 0], [0.5, 0.25, 0.25, 0], [0, 0.04, 0.26, 0.7], [0.1, 0.2, 0.3, 0.4]];

test('characters are hundredths, and none is left out or doubled', () => {
  assert.deepEqual(explorer.weightsOf('?@[]~ÀÁ'), [0, 0.01, 0.28, 0.29, 0.62, 0.63, 0.64]);
  const letters = vm('ALPHABET').map((code) => String.fromCharCode(code));
  assert.ok(letters.length >= 101);
  assert.deepEqual(explorer.weightsOf(letters.join('')), letters.map((_, i) => i / 100));
});

test('the right square is taken', () => {
  near(explorer.matrixOf([1, 0, 0, 1, 0, 0.5, 0.5, 0], 2, 0), [[1, 0], [0, 1]]);
  near(explorer.matrixOf([1, 0, 0, 1, 0, 0.5, 0.25, 0], 2, 1), [[0, 0.5], [0.25, 0]]);
});

test('what a token takes, and what is taken from it', () => {
  assert.deepEqual(explorer.lineOf(HEAD, 3, false), [0.1, 0.2, 0.3, 0.4]);
  assert.deepEqual(explorer.lineOf(HEAD, 3, true), [0, 0, 0.7, 0.4]);
  assert.deepEqual(explorer.strongest([0.2, 0.5, 0.2, 0.1], 3), [1, 0, 2]);
});

test('one sentence says where a token looks, and tells equal tokens apart', () => {
  const said = (place, backwards) => explorer.spoken(HEAD, TOKENS, place, backwards);
  assert.equal(said(3, false), 'cat attends to itself 0.40, the (token 2) 0.30, the (token 1) 0.20.');
  assert.equal(said(2, false), 'the (token 2) attends to cat 0.70, itself 0.26.');
  assert.equal(said(3, true), 'cat is attended to by the (token 2) 0.70, itself 0.40.');
  const even = Array.from({length: 30}, () => Array(30).fill(1 / 30));
  const words = Array.from({length: 30}, (_, i) => `w${i}`);
  assert.equal(explorer.spoken(even, words, 4, false), 'w4 attends to no token by 0.05 or more.');
});

test('the description names tokens and the three strongest pairs', () => {
  assert.equal(explorer.described(HEAD, TOKENS, 'Layer 0, head 1'), 'Layer 0, head 1. Heat map of attention between 4 ' +
    'tokens: [CLS] the the cat. Strongest: [CLS] to [CLS] 1.00, the (token 2) to cat 0.70, the (token 1) to [CLS] 0.50.');
});

test('where nothing is given, nothing is called strongest', () => {
  assert.ok(explorer.described([[0, 0], [0, 0]], ['a', 'b'], 'x').endsWith('Strongest: none.'));
  assert.ok(explorer.described([[1, 0], [0, 1]], ['a', 'b'], 'x').endsWith('Strongest: a to a 1.00, b to b 1.00.'));
});

test('keys move within rows and columns, and others are left to the browser', () => {
  // two rows of three: 0 1 2 / 3 4 5
  const to = (key, at) => explorer.moved(key, at, 3, 6);
  assert.deepEqual(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].map((key) => to(key, 4)), [3, 5, 1, 4, 3, 5]);
  assert.deepEqual(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].map((key) => to(key, 0)), [0, 1, 0, 3, 0, 2]);
  assert.equal(to('ArrowRight', 2), 2);
  assert.equal(to('Tab', 2), undefined);
  assert.equal(to('a', 2), undefined);
});

test('every shade of both themes can be read: 4.5 : 1', () => {
  for (const [paper, heat] of [['#ffffff', '#08306b'], ['#111417', '#9ecbf5']]) {
    for (let level = 0; level <= 200; level++) {
      const [back, ink] = explorer.shade(level / 200, paper, heat).map(explorer.luminance);
      const contrast = (Math.max(back, ink) + 0.05) / (Math.min(back, ink) + 0.05);
      assert.ok(contrast >= 4.5, `${paper} to ${heat} at ${level / 200}: ${contrast}`);
    }
  }
  assert.equal(explorer.shade(0, '#ffffff', '#08306b')[0], '#ffffff');
  assert.equal(explorer.shade(1, '#ffffff', '#08306b')[0], '#08306b');
  assert.equal(explorer.shade(0.5, '#000000', '#0a1418')[0], '#050a0c');
});

const LOOK = {paper: '#ffffff', ink: '#000000', heat: '#08306b', alt: 'What & "why" <here>'};

test('the heat map has a cell per weight, labels for both sides, and its words', () => {
  const svg = explorer.heatMap(HEAD, TOKENS, LOOK);
  assert.deepEqual(svg.match(/'middle'>(0|0\.25|0\.5|0\.75|1)</g).length, 6, 'the scale, and the weight of 1');
  const cells = svg.match(/M\d+ \d+h30v30h-30z/g);
  assert.equal(cells.length, HEAD.flat().filter((weight) => weight >= 0.005).length);
  assert.ok(svg.includes("fill='#08306b' d='M0 0h30v30h-30z'"));
  assert.equal(svg.match(/>cat</g).length, 2);
  assert.ok(svg.includes('<desc>What &#38; &#34;why&#34; &#60;here&#62;</desc>'));
  assert.ok(svg.includes(">.70<") || svg.includes(">.7<"));
});

test('tokens cannot break out of the picture', () => {
  const svg = explorer.heatMap([[0.5, 0.5], [1, 0]], ['</text><script>', "'&\""], LOOK);
  assert.ok(!svg.includes('<script'));
  assert.ok(svg.includes('&#60;/text&#62;&#60;scri'));
});

test('many tokens have smaller cells and no numbers', () => {
  const even = Array.from({length: 40}, () => Array(40).fill(0.02));
  const svg = explorer.heatMap(even, Array(40).fill('a'), LOOK);
  assert.ok(svg.includes('h12v12h-12z'));
  assert.equal(svg.match(/text-anchor='middle'/g).length, 5, 'only those of the scale');
});

test('a PNG carries its description, with the right checksum', () => {
  // the smallest PNG header: signature, IHDR; then IEND, whose checksum is known
  const tail = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];
  const png = Uint8Array.from([...Array(33).fill(7), ...tail]);
  const [head, chunk, rest] = explorer.withDescription(png, 'héron');
  assert.deepEqual([...head], Array(33).fill(7));
  assert.deepEqual([...rest], tail);
  const body = Buffer.from(chunk);
  assert.equal(body.readUInt32BE(0), body.length - 12);
  assert.equal(body.subarray(4, 8).toString('latin1'), 'iTXt');
  assert.equal(body.subarray(8, body.length - 4).toString(), 'Description\0\0\0\0\0héron');
  const {crc32} = require('node:zlib');
  if (crc32) assert.equal(body.readUInt32BE(body.length - 4), crc32(body.subarray(4, body.length - 4)));
});

test('a heat map fits into the room that it is given', () => {
  const long = Array(20).fill('otter');
  for (const room of [300, 420, 500, 900]) {
    const {cell, left, width, height} = explorer.mapSize(long, room);
    assert.ok(width <= Math.max(room, 360), `${width} in ${room}`);
    assert.equal(cell, {300: 11, 420: 17, 500: 21, 900: 24}[room]);
    assert.equal(left, 49);
    assert.equal(height, Math.ceil(49 * 0.9 + 22) + 20 * cell + 4);
  }
});

const WORDS = ['river', 'rain', '<i>'];

test('guesses by number and per mille are words and per cent', () => {
  assert.equal(vm('listed')([0, 750, 2, 4], WORDS), 'river 75.0 %, <i> 0.4 %');
  const guess = [5, [0, 750, 1, 125], [[750, 0, 750], [249, 1, 500, 0, 249]]];
  const html = explorer.guessPanel(guess, WORDS, [0, 1], [1, 2], '[MASK]', 2);
  assert.ok(html.includes('<h2>[MASK] without a head</h2>'));
  assert.ok(html.includes('<td>75.0'));
  assert.ok(html.includes('<td aria-current=true>24.9 → <bdi>rain</bdi>'));
  assert.ok(html.includes('Without layer 0, head 1'));
  assert.equal(html.match(/<tr><th scope=row><bdi>/g).length, 4);
});

test('what was found names the pair, its weight and the row', () => {
  const found = {texts: [['a', '<b>'], ['c', 'd']], heads: [['broad', []], ['mixed', [[1, 1, 0, '~@']]]]};
  const html = explorer.foundPanel(found, 1, ['#ffffff', '#08306b'], 3);
  assert.ok(html.includes('in 2 texts'));
  assert.ok(html.includes('On average over them: mixed.'));
  assert.ok(html.includes('<b><bdi>d</bdi> to <bdi>c</bdi> 0.62</b>'));
  assert.equal(html.match(/class=asks/g).length, 1);
  assert.ok(html.includes("class=asks style='background:#fdfdfe;color:#000000'>d<"));
});

test('tokens cannot break out of the tables', () => {
  assert.ok(!explorer.weightTable([[1]], ['<script>']).includes('<script>'));
  assert.ok(!explorer.skeleton({name: '<b>', tokens: ['<script>'], layers: 1, heads: 1}, false, () => false).includes('<script>'));
});
