// Semantic interpretation of one match (SISR 1.0, 3 and 6): each rule has its own out, rules and meta. A variable of a tag
// lives on in the later tags of its rule, one of a grammar's global tags in all its rules, and nothing beyond the match.
var __vx_sisr = function () {
  'use strict';
  const open = (0, eval)(
    '(function (__vx_t) { eval(__vx_t); return function* (__vx_h) { with (__vx_h) { for (;;) eval(yield); } }; })');
  const frames = [];
  const grammars = Object.create(null);
  const heard = (text) => ({ text: text, score: 1 });
  let result;
  return {
    grammar(place, code) { grammars[place] = open(code); },
    begin(place) {
      const frame = { tagged: false, referred: false, latest: undefined, text: '', latestText: '' };
      const rules = Object.create({ latest: () => frame.latest });
      const meta = Object.create({ current: () => heard(frame.text), latest: () => heard(frame.latestText) });
      const names = { out: {}, rules: rules, meta: meta };
      // As grammars older than SISR 1.0 write it: $ is the rule's own value, $name that of a rule referred to.
      Object.defineProperty(names, '$', { get() { return names.out; }, set(value) { names.out = value; } });
      frame.names = names;
      frame.tags = grammars[place](names);
      frame.tags.next();
      frames.push(frame);
    },
    tag(code, text) {
      const frame = frames[frames.length - 1];
      frame.tagged = true;
      frame.text = text;
      frame.tags.next(code);
    },
    literal(value) {
      const frame = frames[frames.length - 1];
      frame.tagged = true;
      frame.names.out = value;
    },
    end(name, text) {
      const frame = frames.pop();
      // A rule without a tag has the value of the rule it referred to last, else its own words.
      const value = frame.tagged ? frame.names.out : frame.referred ? frame.latest : text;
      if (frames.length === 0) { result = value; return; }
      const outer = frames[frames.length - 1];
      outer.names.rules[name] = outer.names['$' + name] = outer.latest = value;
      outer.names.meta[name] = heard(text);
      outer.latestText = text;
      outer.referred = true;
    },
    value: () => result,
  };
};
