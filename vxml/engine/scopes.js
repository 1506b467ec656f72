// The chain is nested `with`s over objects without a prototype. Outermost stands one that owns every name the language
// itself has not: reading or assigning an undeclared variable ends there, as a ReferenceError.
var __vx = (function () {
  'use strict';
  const { Proxy } = globalThis;  // from here on nobody else's
  const own = Object.prototype.hasOwnProperty;
  const missing = new Proxy(Object.create(null), {
    has(target, key) {
      return typeof key === 'string' && !(key in globalThis) && key.slice(0, 5) !== '__vx_';
    },
    get(target, key) {
      if (typeof key !== 'string') return undefined;
      throw new ReferenceError(key + ' is not defined');
    },
    set(target, key) { throw new ReferenceError(key + ' is not defined'); },
  });
  const readonly = (target) => new Proxy(target, {
    get(t, key) { const v = t[key]; return v !== null && typeof v === 'object' ? readonly(v) : v; },
    set(t, key) { throw new TypeError('session.' + String(key) + ' is read-only'); },
    defineProperty(t, key) { throw new TypeError('session is read-only'); },
    deleteProperty() { throw new TypeError('session is read-only'); },
  });
  const names = Object.create(null);
  let scopes = [];
  const arrays = new Map();  // of the <foreach>s that run
  let taken = 0;
  const runners = {};
  const runner = (depth) => {
    if (!runners[depth]) {
      let open = '', close = '';
      for (let i = 0; i < depth; i++) { open += 'with (__vx_s[' + i + ']) { '; close += ' }'; }
      runners[depth] = (0, eval)('(function (__vx_s, __vx_c) { ' + open + 'return eval(__vx_c);' + close + ' })');
    }
    return runners[depth];
  };
  // typeof of an undeclared name is 'undefined', which `missing` cannot tell from a use. Strict code needs no guard
  // against undeclared assignments, so code with a typeof runs as such, unless only sloppy code may say what it says.
  const strict = (code) => {
    if (!code.includes('typeof')) return false;
    try {
      (0, eval)('(function () { "use strict"; ' + code + '\n})');
      return true;
    } catch (error) {
      return false;
    }
  };
  const run = (code) => {
    const chain = [names, ...scopes.map((one) => one.view)];
    if (strict(code)) return runner(chain.length)(chain, '"use strict"; ' + code);
    chain.unshift(missing);
    return runner(chain.length)(chain, code);
  };
  const expression = (code) => run('(' + code + '\n)');
  const guard = (work) => {
    try {
      return JSON.stringify({ ok: work() });
    } catch (error) {
      const named = error !== null && typeof error === 'object';
      return JSON.stringify({ error: named ? String(error.name) : 'Error',
                              message: named ? String(error.message) : String(error) });
    }
  };
  const plain = (value) => {
    const text = JSON.stringify(value);
    return text === undefined ? null : JSON.parse(text);
  };
  const find = (name) => scopes.find((one) => one.name === name);
  return {
    push(name, values, frozen) {
      const vars = Object.create(null);
      Object.assign(vars, JSON.parse(values));
      const view = frozen ? readonly(vars) : vars;
      scopes.push({ name, vars, view });
      if (name) names[name] = view;
    },
    alias(name, of) { names[name] = find(of).view; },
    pop() {
      const gone = scopes.pop();
      if (gone.name) {
        delete names[gone.name];
        const outer = scopes.filter((one) => one.name === gone.name).pop();
        if (outer) names[gone.name] = outer.view;
      }
    },
    depth() { return scopes.length; },
    declare(name) {
      const top = scopes[scopes.length - 1].vars;
      if (!own.call(top, name)) top[name] = undefined;
    },
    put(scope, name, json) { find(scope).vars[name] = json === null ? undefined : JSON.parse(json); },
    init(name, code) {
      return guard(() => {
        const top = scopes[scopes.length - 1].vars;
        if (code !== null) top[name] = expression(code);
        else if (!own.call(top, name)) top[name] = undefined;
        return null;
      });
    },
    value(code) { return guard(() => plain(expression(code))); },
    text(code) {
      return guard(() => {
        const value = expression(code);
        return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
      });
    },
    truth(code) { return guard(() => !!expression(code)); },
    defined(scope, name) { return guard(() => find(scope).vars[name] !== undefined); },
    exec(code) { return guard(() => { run(code); return null; }); },
    has(name) { return scopes.some((one) => own.call(one.vars, name)); },
    // The value of a grammar's match: `code` is made by vxml.grammar.sisr.
    interpret(code) {
      const before = new Set(Object.getOwnPropertyNames(globalThis));
      const answer = guard(() => plain((0, eval)(code)));
      // What a tag assigned without declaring it does not outlive the match.
      Object.getOwnPropertyNames(globalThis).forEach((name) => { if (!before.has(name)) delete globalThis[name]; });
      return answer;
    },
    // application.lastresult$: an array of results which has the best one's properties, too (VoiceXML 2.0 5.1.5).
    results(json) {
      const list = JSON.parse(json);
      find('application').vars['lastresult$'] = Object.assign(list, list[0]);
    },
    dom(name, json) {
      return guard(() => {
        const holder = scopes.filter((one) => own.call(one.vars, name)).pop() || scopes[scopes.length - 1];
        holder.vars[name] = __vx_dom(JSON.parse(json));
        return null;
      });
    },
    array(code) {
      return guard(() => {
        const value = expression(code);
        if (!Array.isArray(value)) throw new TypeError('it is no array');
        arrays.set(++taken, value.slice());
        return [taken, value.length];
      });
    },
    item(name, number, index) {
      const holder = scopes.filter((one) => own.call(one.vars, name)).pop() || scopes[scopes.length - 1];
      holder.vars[name] = arrays.get(number)[index];
    },
    forget(number) { arrays.delete(number); },
    kind(code) {
      return guard(() => { const value = expression(code); return value === null ? 'null' : typeof value; });
    },
  };
})();
