import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Document } from '../../functions/kubernetes/document.ts';
import { splitList } from '../../functions/kubernetes/list.ts';

const ODD =
  '{ "zeta":1,"alpha":{"big":9007199254740993,"min":-9223372036854775808,"one":1.0,"exp":1e3,"neg":-0,"neg0":-0.0,"many":0.12345678901234567890},' +
  '\n  "__proto__" : {"constructor":[ 1.0 , 2,3.50 ]},"html":"<a>&\\u2028","é":"\\ud83d\\ude00😀\\"\\\\","none":null,"empty":{ },"list":[\n] }\n';

/** JSON as anybody may write it: white space anywhere, escapes, numbers in every spelling. */
const blank = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');
const number = fc.constantFrom('0', '-0', '1.0', '1e3', '-0.0', '9007199254740993', '18446744073709551616', '2.50E-7');
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((s) => JSON.stringify(s)),
  fc.constantFrom('"__proto__"', '"\\u0041\\/"', '"\\\\"', '"\\\\\\""', '"a]}b,{["'),
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('true', 'false', 'null'),
    number,
    text,
    fc
      .tuple(
        blank,
        fc.array(
          fc.tuple(blank, tie('json'), blank).map((parts) => parts.join('')),
          { maxLength: 4 },
        ),
      )
      .map(([b, all]) => `[${all.join(',') || b}]`),
    fc
      .tuple(
        blank,
        fc.array(
          fc.tuple(blank, text, blank, blank, tie('json'), blank).map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`),
          { maxLength: 4 },
        ),
      )
      .map(([b, all]) => `{${all.join(',') || b}}`),
  ),
}));

describe('a document', () => {
  test('that is not edited is printed byte by byte as it was read', () => {
    expect(String(new Document(ODD))).toBe(ODD);
    fc.assert(
      fc.property(json, (source) => String(new Document(source)) === source),
      { numRuns: 2000 },
    );
  });

  test('keeps every byte around an edit', () => {
    const doc = new Document(ODD).set(['alpha', 'one'], 'x').remove('none').set(['made', 'on', 'the way'], 7);
    expect(String(doc)).toBe(
      ODD.replace('"one":1.0', '"one":"x"').replace('"none":null,', '').replace('[\n] }', '[\n] ,"made":{"on":{"the way":7}}}'),
    );
  });

  test('takes away the first, the last and the only member without a comma left over', () => {
    expect(String(new Document('{"a":1, "b":2,"c":3}').remove('a'))).toBe('{ "b":2,"c":3}');
    expect(String(new Document('{"a":1,"b":2}').remove('b'))).toBe('{"a":1}');
    expect(String(new Document('{"a":{"b":2}}').remove('a', 'b'))).toBe('{"a":{}}');
    expect(String(new Document('{"a":[1,2,3]}').removeWhere(['a'], (n) => n !== 2))).toBe('{"a":[2]}');
    expect(String(new Document('{"a":[1],"b":0}').removeWhere(['a'], () => true))).toBe('{"b":0}');
  });

  test('treats __proto__ as a key like any other', () => {
    const doc = new Document('{"__proto__":{"a":"1"},"b":{}}');
    expect(doc.string('__proto__', 'a')).toBe('1');
    expect(doc.string('b', 'a')).toBeUndefined();
    expect(String(doc.set(['b', '__proto__'], 'x'))).toBe('{"__proto__":{"a":"1"},"b":{"__proto__":"x"}}');
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  test('replaces strings, and spells only those anew that changed', () => {
    const doc = new Document('{"a":"\\u0041","b":["old","\\/"],"old":1}').replaceStrings((s) =>
      s === 'old' ? 'new' : undefined,
    );
    expect(String(doc)).toBe('{"a":"\\u0041","b":["new","\\/"],"old":1}');
  });

  test.each(['{"a":1', '{"a" 1}', '[1,]', '{"a":01}', '"abc', 'nul', '{}x', ''])('refuses %j', (source) => {
    expect(() => new Document(source)).toThrow(SyntaxError);
  });
});

describe('a list', () => {
  test('is taken apart without a byte of an item changed', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 5 }), blank, (items, b) => {
        const list = `{"kind":"L",${b}"metadata":{"resourceVersion":"7","continue":"t"},"items":[${items.map((item) => `${b}${item}${b}`).join(',')}]}\n`;
        expect(splitList(list)).toEqual({ revision: '7', more: 't', items });
      }),
    );
  });

  test('may say items before metadata, and null for none', () => {
    expect(splitList('{"items":[{"a":[1]}],"metadata":{"resourceVersion":"9"}}')).toEqual({
      revision: '9',
      more: '',
      items: ['{"a":[1]}'],
    });
    expect(splitList('{"metadata":{},"items":null}').items).toEqual([]);
  });
});
