// Performances: a button for each that this run can play.

import { known, named } from "./known.js";
import { make, mark, say } from "./parts.js";

/** Buttons that play; the one that is on says so, and how many times it waits. */
export function bitButtons(verb, ask) {
  const { told } = known(verb);
  const [parameter] = verb.parameters;
  const list = make("div", { class: "tiles" });
  const buttons = new Map();
  const fill = (names) => {
    buttons.clear();
    names.forEach((name, i) => {
      const count = make("span", { class: "count" });
      const key = i < 9 ? String(i + 1) : null;
      const button = make(
        "button",
        {
          type: "button",
          "data-verb": verb.name,
          "data-bit": name,
          "aria-keyshortcuts": key,
          click: () => ask(verb.name, { [parameter.name]: name }),
        },
        make("span", { text: named(name) }),
        count,
      );
      buttons.set(name, { button, count });
    });
    list.replaceChildren(...[...buttons.values()].map(({ button }) => button));
  };
  return {
    element: make("div", { role: "group", "aria-label": "Performances", title: verb.meaning }, list),
    update: (message) => {
      const { bits } = message.state;
      if (bits.join("\n") !== [...buttons.keys()].join("\n")) fill(bits);
      const playing = told(message);
      for (const [name, { button, count }] of buttons) {
        mark(button, "aria-current", playing[0] === name);
        const times = playing.filter((one) => one === name).length;
        say(count, times > 1 ? ` ×${times}` : "");
      }
    },
  };
}

/** What the digits do: play the first nine, and stop; bits are told with each state. */
export function bitKeys(verbs, ask, latest) {
  const play = verbs.find((verb) => verb.name === "play");
  if (!play) return [];
  const presses = Array.from({ length: 9 }, (_, i) => [
    String(i + 1),
    () => {
      const name = latest()?.state.bits[i];
      if (name) ask("play", { [play.parameters[0].name]: name });
    },
  ]);
  return [...presses, ["0", () => ask("stop-playing", {})]];
}
