// Avatars and backgrounds, side by side to choose from.

import { sentenceOf } from "./link.js";
import { known } from "./known.js";
import { freshId, icon, make, mark, Wish } from "./parts.js";

const MOST_BYTES = 20_000_000;

/** Thumbnails of the run's puppets. */
export function avatarPicker(verb, ask, link) {
  const { told } = known(verb);
  const [parameter] = verb.parameters;
  const wish = new Wish((name) => ask(verb.name, { [parameter.name]: name }));
  const group = freshId(verb.name);
  const hint = make("p", { class: "hint", text: "Give several portraits at the start to switch between them here." });
  const list = make("div", { class: "tiles" });
  let inputs = [];
  let names = "";
  const fill = (puppets) => {
    names = puppets.join("\n");
    inputs = puppets.map((name) =>
      make("input", {
        type: "radio",
        name: group,
        value: name,
        "data-verb": verb.name,
        change: () => wish.want(name),
      }),
    );
    const tiles = puppets.map((name, i) => {
      const image = make("img", { alt: "", width: 80, height: 80, hidden: true });
      showThumbnail(link, name, image);
      return make("label", { class: "tile" }, inputs[i], image, make("span", { text: name }));
    });
    list.replaceChildren(...tiles);
    hint.hidden = puppets.length > 1;
  };
  return {
    element: make("div", { role: "radiogroup", "aria-label": "Avatar", title: verb.meaning }, list, hint),
    update: (message) => {
      if (message.state.puppets.join("\n") !== names) fill(message.state.puppets);
      const name = wish.shown(told(message));
      for (const input of inputs) input.checked = input.value === name;
    },
  };
}

async function showThumbnail(link, name, image) {
  const answer = await link.fetch(`/api/avatars/${encodeURIComponent(name)}`).catch(() => null);
  if (!answer?.ok) return; // its name says it, too
  const address = URL.createObjectURL(await answer.blob());
  image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
  image.src = address;
  image.hidden = false;
}

/** The portrait's own background, the same blurred, a colour, or a picture of the user's. */
export function backgroundPicker(verb, ask, link, complain) {
  const { told, usual } = known(verb);
  const [parameter] = verb.parameters;
  const wish = new Wish((word) => ask(verb.name, { [parameter.name]: word }));
  const colour = make("input", {
    type: "color",
    value: "#00b140", // the usual green of green screens
    "aria-label": "Colour of the background",
    input: () => want(colour.value),
  });
  const file = make("input", {
    type: "file",
    accept: "image/*",
    hidden: true,
    change: () => send(file, link, complain),
  });
  const tile = (kind, text, press, part) => {
    const button = make(
      "button",
      { type: "button", "aria-pressed": "false", click: press },
      part,
      make("span", { text }),
    );
    button.dataset.background = kind;
    return button;
  };
  const buttons = [
    tile("portrait", "Portrait", () => want("portrait"), icon("picture")),
    tile("blur", "Blurred", () => want("blur"), make("span", { class: "blurred" }, icon("picture"))),
    tile("colour", "Colour", () => want(colour.value), make("span", { class: "swatch" })),
    tile("picture", "Picture…", () => file.click(), icon("upload")),
  ];
  const swatch = buttons[2].querySelector(".swatch");
  const show = (word) => {
    const kind = kindOf(word);
    for (const button of buttons) mark(button, "aria-pressed", button.dataset.background === kind);
    if (/^#[0-9a-f]{6}$/i.test(word)) colour.value = word;
    swatch.style.backgroundColor = colour.value;
  };
  const want = (word) => {
    wish.want(word);
    show(word);
  };
  let shown = null;
  return {
    element: make(
      "div",
      { class: "backgrounds", role: "group", "aria-label": "Background", title: verb.meaning },
      make("div", { class: "tiles four" }, ...buttons),
      make("label", { class: "row" }, make("span", { text: "The colour" }), colour),
      file,
    ),
    update: (message) => show((shown = wish.shown(told(message)))),
    reset: () => shown !== usual && want(usual),
  };
}

function kindOf(word) {
  if (word === "portrait" || word === "blur") return word;
  return /^#|^(rgb|hsl)|^[a-z]+$/i.test(word) && !/[./\\]/.test(word) ? "colour" : "picture";
}

async function send(file, link, complain) {
  const [picture] = file.files;
  file.value = "";
  if (!picture) return;
  if (picture.size > MOST_BYTES) return void complain("That picture has more than 20 MB. Choose a smaller one.");
  const headers = { "Content-Type": picture.type || "application/octet-stream" };
  const answer = await link.fetch("/api/background", { method: "POST", body: picture, headers }).catch(() => null);
  if (answer === null) complain("facepuppet does not answer; the background stays as it is.");
  else if (!answer.ok) complain(await sentenceOf(answer));
}
