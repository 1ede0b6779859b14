// Figures of now, and how things stand; what changes is also told to screen readers, ticking numbers are not.

import { make, mark, say } from "./parts.js";
import { light, milliseconds, percent, presence, quality, readers, recording, sentTo, sound } from "./words.js";

const FIGURES = [
  ["Pictures", (f) => f.fps.toFixed(0), "new ones a second"],
  ["Delay", (f) => milliseconds(f.latency_median_ms), "capture to sink, median"],
  ["Delay, p95", (f) => milliseconds(f.latency_p95_ms), "95 of 100 are faster"],
  ["Dropped", (f) => percent(f.dropped), "of the frames that came"],
  ["Processor", (f) => percent(f.cpu), "of one core"],
  ["Memory", (f) => `${Math.round(f.memory_mb)} MB`, "in use"],
];

/** Rows of "How things stand": title, what to show of a message (null leaves the row out), whether to announce it. */
const STANDINGS = [
  ["You", (m) => presence(m.state, m.hidden), true],
  ["Light", (m) => light(m.light), true],
  ["Mark", (m) => ({ kind: "good", word: "on every picture", more: m.mark }), false],
  ["Sent to", (m) => sentTo(m), true],
  ["Read by", (m) => readers(m.readers), true],
  ["Moved by", (m) => ({ kind: "idle", word: m.driver, more: "" }), false],
  ["Quality", (m) => quality(m.state), true],
  ["Sound", (m) => m.sound && sound(m.sound), true],
  ["Clipping", (m) => (m.sound?.clipped ? clipping(m.sound.clipped) : null), true],
  ["Recording", (m) => m.recording && recording(m.recording), true],
];

function clipping(times) {
  return { kind: "warn", word: "too loud", more: `Clipped ${times} times; turn the microphone down.` };
}

/** Tiles of figures; returns what takes each message, or null while there are none. */
export function buildFigures(list) {
  const values = FIGURES.map(([name, , unit]) => {
    const value = make("dd", { class: "value", text: "–" });
    list.append(
      make("div", { class: "figure" }, make("dt", { text: name }), value, make("dd", { class: "unit", text: unit })),
    );
    return value;
  });
  return (message) => FIGURES.forEach(([, of], i) => say(values[i], message ? of(message.figures) : "–"));
}

/** Rows of standings; `tell` gets a sentence for each change. Returns what takes each message. */
export function buildStandings(list, tell) {
  const rows = STANDINGS.map(([name, of, isTold]) => {
    const sign = make("span", { class: "sign", "aria-hidden": "true" });
    const word = make("span", { class: "word" });
    const more = make("span", { class: "more" });
    const row = make(
      "div",
      { class: "standing", hidden: true },
      make("dt", { text: name }),
      make("dd", {}, sign, word, more),
    );
    list.append(row);
    return { name, of, isTold, row, word, more };
  });
  return (message) => rows.forEach((row) => updateRow(row, row.of(message), tell));
}

function updateRow({ name, isTold, row, word, more }, now, tell) {
  row.hidden = !now;
  if (!now) return;
  const before = word.textContent;
  mark(row, "data-kind", now.kind);
  say(word, now.word);
  say(more, now.more);
  if (isTold && before && before !== now.word) tell(`${name}: ${now.word}. ${now.more}`);
}

/** Sentences about what the user has switched, as it changes; from whichever browser or key it was. */
export function switchSentences(tell) {
  const switches = [
    ["Panic", (m) => m.state.panic],
    ["Away", (m) => m.state.away],
    ["Freeze", (m) => m.state.frozen],
    ["Mute", (m) => m.sound?.muted],
  ];
  let before = null;
  return (message) => {
    const now = switches.map(([, of]) => of(message));
    switches.forEach(([name], i) => {
      if (before && before[i] !== now[i]) tell(`${name} ${now[i] ? "on" : "off"}.`);
    });
    before = now;
  };
}
