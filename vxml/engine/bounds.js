// Native loops that nothing interrupts are bounded here: of arrays with holes, of objects that only say how long they
// are, and of searches for one long string in another. Proxies are gone, for theirs is any length they like.
(function () {
  'use strict';
  const MOST = 1e6;  // elements of an array
  const WORK = 2e8;  // comparisons of one search
  const { isArray } = Array, { isView } = ArrayBuffer, { apply } = Reflect, text = String, error = RangeError;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const { isConcatSpreadable, match, replace, split } = Symbol;
  const dispatch = { replace, replaceAll: replace, split };
  const isObject = (value) => value !== null && (typeof value === 'object' || typeof value === 'function');

  const put = (place, name, value) =>
    defineProperty(place, name, { value, writable: true, configurable: true, enumerable: false });

  const short = (length) => {
    if (typeof length !== 'number' || length > MOST) throw new error('an array of more than ' + MOST + ' elements');
  };
  const bounded = (that) => {
    if (!isObject(that) || isView(that)) return that;
    const length = getOwnPropertyDescriptor(that, 'length');
    if (length !== undefined && 'value' in length) { short(length.value); return that; }
    const count = +that.length || 0;  // once: a getter may say another number the next time
    short(count);
    const copy = [];
    for (let i = 0; i < count; i++) copy[i] = that[i];
    return copy;
  };
  for (const name of ['join', 'toString', 'toLocaleString', 'reverse', 'copyWithin', 'splice', 'shift', 'unshift', 'sort',
                      'slice', 'fill']) {
    const native = Array.prototype[name];
    put(Array.prototype, name, { [name](...given) { return apply(native, bounded(this), given); } }[name]);
  }
  const concat = Array.prototype.concat;
  put(Array.prototype, 'concat', function concat_(...given) {
    const joined = (one) => {
      if (isArray(one)) short(one.length);
      else if (isObject(one) && isConcatSpreadable in one) throw new error('it is no array');
    };
    joined(this);
    for (let i = 0; i < given.length; i++) joined(given[i]);
    return apply(concat, this, given);
  });
  const flatten = (into, from, depth) => {
    const list = bounded(from), count = list.length;
    for (let i = 0; i < count; i++) {
      if (!(i in list)) continue;
      const one = list[i];
      if (depth > 0 && isArray(one)) flatten(into, one, depth - 1);
      else into[into.length] = one;
    }
    return into;
  };
  const map = Array.prototype.map;
  put(Array.prototype, 'flat', function flat(depth) {
    return flatten([], this, depth === undefined ? 1 : Math.trunc(depth) || 0);
  });
  put(Array.prototype, 'flatMap', function flatMap(callback, that) {
    return flatten([], apply(map, bounded(this), [callback, that]), 1);
  });

  for (const name of ['indexOf', 'lastIndexOf', 'includes', 'split', 'replace', 'replaceAll']) {
    const native = String.prototype[name];
    put(String.prototype, name, {
      [name](sought, other) {
        if (this === undefined || this === null) return apply(native, this, [sought, other]);
        if (isObject(sought)) {
          const own = name in dispatch ? sought[dispatch[name]] : undefined;
          if (own !== undefined && own !== null) return apply(own, sought, [text(this), other]);
          if (name === 'includes' && sought[match] !== undefined) throw new TypeError('a regular expression');
        }
        const within = text(this);
        if (sought === undefined && name === 'split') return apply(native, within, [sought, other]);
        const what = text(sought);
        if (within.length * what.length > WORK) throw new error('a search of too much in too much');
        return apply(native, within, [what, other]);
      },
    }[name]);
  }
  put(String, 'raw', function raw(template) {
    const parts = template.raw, count = +parts.length || 0;
    let made = '';
    for (let i = 0; i < count; i++) {
      made += text(parts[i]);
      if (i + 1 < count && i + 1 < arguments.length) made += text(arguments[i + 1]);
    }
    return made;
  });
  // The engine looks at its time once in 10,000 jumps back: each long string that is worked on counts for so many.
  const spent = (length) => { for (let jumps = length >> 9; jumps > 0; jumps--); };
  for (const name of Object.getOwnPropertyNames(String.prototype)) {
    const native = String.prototype[name];
    if (typeof native !== 'function' || name === 'constructor' || name === 'toString' || name === 'valueOf') continue;
    put(String.prototype, name, {
      [name](...given) {
        const made = apply(native, this, given);
        spent((typeof this === 'string' ? this.length : 0) + (typeof made === 'string' ? made.length : 0));
        return made;
      },
    }[name]);
  }
  delete globalThis.Proxy;
})();
