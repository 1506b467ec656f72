// The variables of semantic scripts: out, rules and meta of each rule (SISR 1.0, 3.3 and 6).
var __vx_sisr = function () {
  'use strict';
  const frames = [];
  let result;
  const score = (text) => ({ text: text, score: 1 });
  const run = (0, eval)('(function (__vx_h, __vx_t) { with (__vx_h) { eval(__vx_t); } return __vx_h.out; })');
  return {
    begin() { frames.push({ out: {}, rules: Object.create(null), texts: Object.create(null), latest: undefined }); },
    tag(code, heard) {
      const frame = frames[frames.length - 1];
      const rules = Object.assign(Object.create({ latest: () => frame.latest }), frame.rules);
      const meta = { current: () => score(heard), latest: () => score(frame.latestText) };
      for (const name of Object.keys(frame.texts)) meta[name] = () => score(frame.texts[name]);
      const names = { out: frame.out, rules: rules, meta: meta };
      // As grammars older than SISR 1.0 write it: $ is the rule's own value, $name that of a rule referred to.
      Object.defineProperty(names, '$', { get() { return names.out; }, set(value) { names.out = value; } });
      for (const name of Object.keys(frame.rules)) names['$' + name] = frame.rules[name];
      frame.out = run(names, code);
    },
    end(name, heard, scripted) {
      const frame = frames.pop();
      const value = scripted ? frame.out : heard;  // without a tag a rule's value is its text
      if (frames.length === 0) { result = value; return; }
      const outer = frames[frames.length - 1];
      outer.rules[name] = value;
      outer.texts[name] = heard;
      outer.latest = value;
      outer.latestText = heard;
    },
    value: () => result,
  };
};
