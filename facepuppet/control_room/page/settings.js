// The settings, group by group, from verbs.

import { choice, form, regions, slider, switchControl } from "./controls.js";
import { GROUPS, known } from "./known.js";
import { bitButtons } from "./bits.js";
import { avatarPicker, backgroundPicker } from "./pickers.js";
import { freshId, make } from "./parts.js";

/** Fill `place` with groups of controls; returns them, to be told each new state. */
export function buildSettings(place, verbs, { ask, link, complain }) {
  const all = [];
  for (const { name, hint } of GROUPS) {
    const ofGroup = verbs.filter((verb) => known(verb).group === name);
    const controls = controlsOf(ofGroup, { ask, link, complain });
    if (!controls.length) continue;
    all.push(...controls);
    const resets = controls.filter((control) => control.reset);
    const usual = make("button", {
      type: "button",
      class: "usual",
      text: "As usual",
      "aria-label": `${name}: back to as usual`,
      click: () => resets.forEach((control) => control.reset()),
    });
    const title = freshId("group");
    place.append(
      make(
        "section",
        { class: "card group", "aria-labelledby": title, "data-group": name },
        make("div", { class: "head" }, make("h3", { id: title, text: name }), resets.length ? usual : null),
        hint ? make("p", { class: "hint", text: hint }) : null,
        ...controls.map((control) => control.element),
      ),
    );
  }
  return all;
}

function controlsOf(verbs, { ask, link, complain }) {
  const controls = [];
  const byRegion = verbs.filter((verb) => shapeOf(verb) === "choice number" || shapeOf(verb) === "choice switch");
  for (const together of pairs(byRegion)) controls.push(regions(together, ask));
  for (const verb of verbs) {
    if (byRegion.includes(verb)) continue;
    if (verb.name === "avatar") controls.push(avatarPicker(verb, ask, link));
    else if (verb.name === "background") controls.push(backgroundPicker(verb, ask, link, complain));
    else if (verb.name === "play") controls.push(bitButtons(verb, ask));
    else controls.push((BY_SHAPE[shapeOf(verb)] ?? form)(verb, ask));
  }
  return controls;
}

// A word of which some are known is chosen like a choice; others are for programs and the terminal.
const BY_SHAPE = { switch: switchControl, number: slider, choice, known: choice };

/** An amount and a switch of the same words share their rows. */
function pairs(verbs) {
  const [one, two] = verbs;
  const wordsOf = (verb) => verb.parameters[0].words.join();
  const fit = verbs.length === 2 && shapeOf(one) !== shapeOf(two) && wordsOf(one) === wordsOf(two);
  return fit ? [verbs] : verbs.map((verb) => [verb]);
}

function shapeOf(verb) {
  return verb.parameters.map(({ kind, words }) => (kind === "word" && words ? "known" : kind)).join(" ");
}
