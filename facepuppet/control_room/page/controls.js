// Controls made of the verbs that /api/verbs tells. Each is {element, update(message), reset?()}.

import { known, named } from "./known.js";
import { freshId, icon, make, mark, say, Wish } from "./parts.js";

const AGAIN_MS = 1000; // panic is not switched off by a second press of a hurried hand

/** A button of the dock: a verb with a key, without parameters or with one switch. */
export function dockButton(verb, ask) {
  const { label, told, without, ...words } = known(verb);
  const [parameter] = verb.parameters;
  const state = make("span", { class: "state", "aria-hidden": "true" });
  const element = make(
    "button",
    { type: "button", class: "act", "data-verb": verb.name, title: verb.meaning },
    icon(verb.name),
    make("span", { class: "label", text: label }),
    state,
    verb.key ? make("kbd", { "aria-hidden": "true", text: verb.key }) : null,
  );
  if (verb.key) element.setAttribute("aria-keyshortcuts", verb.key);
  if (parameter) element.setAttribute("aria-pressed", "false");
  const wish = new Wish((on) => ask(verb.name, { [parameter.name]: on }));
  let on = false;
  let switchedOnMs = -AGAIN_MS;
  const show = (value) => {
    on = value === true;
    mark(element, "aria-pressed", on);
    say(state, value === null ? (without ?? "") : on ? words.on : words.off);
    element.disabled = value === null && without !== undefined;
  };
  const press = () => {
    if (element.disabled) return;
    if (!parameter) return void ask(verb.name, {});
    if (on && verb.name === "panic" && performance.now() - switchedOnMs < AGAIN_MS) return;
    if (!on) switchedOnMs = performance.now();
    wish.want(!on);
    show(!on);
  };
  element.addEventListener("click", press);
  return { element, press, update: (message) => parameter && show(wish.shown(told(message))) };
}

/** A switch: a verb with one switch, or one row of a verb with a choice and a switch. */
export function switchControl(verb, ask, { fixed = {}, about = null, name = null } = {}) {
  const { label, told, usual } = known(verb);
  const parameter = verb.parameters.find((one) => one.kind === "switch");
  const wish = new Wish((on) => ask(verb.name, { ...fixed, [parameter.name]: on }));
  const input = make("input", {
    type: "checkbox",
    role: "switch",
    "data-verb": verb.name,
    "data-about": about,
    "aria-label": name,
    change: () => wish.want(input.checked),
  });
  const element = make("label", { class: "switch", title: verb.meaning }, input, make("span", { text: label }));
  return {
    element,
    input,
    update: (message) => (input.checked = wish.shown(told(message, about)) === true),
    reset: () => usual !== undefined && input.checked !== usual && wish.want((input.checked = usual)),
  };
}

/** A slider: a verb with one number, or one row of a verb with a choice and a number. */
export function slider(verb, ask, { fixed = {}, about = null, name = null } = {}) {
  const { label, told, usual, first } = known(verb);
  const parameter = verb.parameters.find((one) => one.kind === "number");
  const wish = new Wish((value) => ask(verb.name, { ...fixed, [parameter.name]: value ?? "off" }));
  const id = freshId(verb.name);
  const output = make("output", { for: id });
  const ticks = usual ? make("datalist", { id: `${id}-usual` }, make("option", { value: usual })) : null;
  const input = make("input", {
    type: "range",
    id,
    min: parameter.low,
    max: parameter.high,
    step: parameter.step,
    list: ticks?.id,
    "data-verb": verb.name,
    "data-about": about,
    input: () => set(Number(input.value)),
  });
  const decimals = (String(parameter.step).split(".")[1] ?? "").length;
  const shownText = (value) => (value === null ? "off" : `${value.toFixed(decimals)}${parameter.unit}`);
  const off = !parameter.can_be_off
    ? null
    : make("input", {
        type: "checkbox",
        role: "switch",
        "data-verb": verb.name,
        "aria-label": `${label}, on or off`,
        change: () => set(off.checked ? (first ?? Number(input.value)) : null),
      });
  function show(value) {
    if (value !== null && Number(input.value) !== value) input.value = value;
    if (off) {
      off.checked = value !== null;
      input.disabled = value === null;
    }
    say(output, shownText(value));
    mark(input, "aria-valuetext", shownText(value));
  }
  const set = (value) => {
    wish.want(value);
    show(value);
  };
  const element = make(
    "div",
    { class: "slider", title: `${verb.meaning} ${parameter.meaning}.` },
    make("label", { for: id, text: name ?? label }),
    off,
    input,
    output,
    ticks,
  );
  let shown = null;
  return {
    element,
    update: (message) => {
      const value = wish.shown(told(message, about));
      if (value !== null || off) show((shown = value)); // null elsewhere: nobody tells how it stands
    },
    reset: () => usual !== undefined && shown !== usual && set(usual),
  };
}

/** Words side by side, one of them chosen: a verb with one choice. */
export function choice(verb, ask) {
  const { label, told, usual, words } = known(verb);
  const [parameter] = verb.parameters;
  const wish = new Wish((word) => ask(verb.name, { [parameter.name]: word }));
  const name = freshId(verb.name);
  const inputs = parameter.words.map((word) =>
    make("input", { type: "radio", name, value: word, "data-verb": verb.name, change: () => wish.want(word) }),
  );
  const labels = parameter.words.map((word, i) =>
    make("label", {}, inputs[i], make("span", { text: words[word] ?? word })),
  );
  const element = make(
    "fieldset",
    { class: "choice", title: verb.meaning },
    make("legend", { text: label }),
    make("div", { class: "words" }, ...labels),
  );
  let shown = null;
  const show = (word) => {
    if (word === null) return; // nobody tells how it stands
    shown = word;
    for (const input of inputs) input.checked = input.value === word;
  };
  return {
    element,
    update: (message) => show(wish.shown(told(message))),
    reset: () => usual !== undefined && shown !== usual && void wish.want(usual),
  };
}

/** A row for each word of a choice: a slider, and a switch from a second verb that takes the same words. */
export function regions(verbs, ask) {
  const amount = verbs.find((verb) => verb.parameters[1].kind === "number");
  const still = verbs.find((verb) => verb.parameters[1].kind === "switch");
  const [region] = (amount ?? still).parameters;
  const rows = region.words.map((word) => {
    const options = { fixed: { [region.name]: word }, about: word };
    const parts = [];
    if (amount) parts.push(slider(amount, ask, { ...options, name: named(word) }));
    if (still) parts.push(switchControl(still, ask, { ...options, name: `${named(word)}: ${known(still).label}` }));
    return { parts, element: make("div", { class: "region" }, ...parts.map((part) => part.element)) };
  });
  const all = rows.flatMap((row) => row.parts);
  return {
    element: make("div", { class: "regions" }, ...rows.map((row) => row.element)),
    update: (message) => {
      all.forEach((part) => part.update(message));
      for (const row of rows)
        row.element.classList.toggle(
          "is-still",
          row.parts.some((p) => p.input?.checked),
        );
    },
    reset: () => all.forEach((part) => part.reset()),
  };
}

/** A verb that fits none of the others: a field for each parameter, and a button. */
export function form(verb, ask) {
  const { label } = known(verb);
  const fields = verb.parameters.map((parameter) => fieldOf(parameter));
  const send = (event) => {
    event.preventDefault();
    ask(verb.name, Object.fromEntries(fields.map((field) => [field.name, field.value()])));
  };
  const button = make("button", { class: "plain", text: label, "data-verb": verb.name, title: verb.meaning });
  return {
    element: make("form", { class: "any", submit: send }, ...fields.map((field) => field.element), button),
    update: () => {},
  };
}

function fieldOf({ kind, name, meaning, words, low, high, step }) {
  const kinds = { number: { type: "number", min: low, max: high, step }, switch: { type: "checkbox" } };
  const input =
    kind === "choice"
      ? make("select", {}, ...words.map((word) => make("option", { value: word, text: word })))
      : make("input", kinds[kind] ?? { type: "text", maxlength: 1000, required: true });
  if (kind === "number") input.value = low;
  const value = () => ({ number: Number(input.value), switch: input.checked })[kind] ?? input.value;
  return { name, value, element: make("label", { title: meaning }, make("span", { text: named(name) }), input) };
}
