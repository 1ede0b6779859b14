// Who somebody will be, by what right, and what moves it.

import { by, make, say } from "./parts.js";

const KEPT = "facepuppet-choice"; // in this tab, until it is closed
const HINTS = {
  camera: "Your face moves the puppet.",
  voice: "What you say moves its mouth and face. No camera.",
  text: "Type a line, and the puppet says it. No camera, no microphone.",
};
const STARTS = { camera: "Start with camera", voice: "Start with my voice", text: "Start" };
const PRIVATE = {
  camera:
    "Your camera’s picture goes encrypted to the server that makes the puppet. It is not stored, and nobody else sees it.",
  voice: "Your voice goes encrypted to the server that makes the puppet. It is not stored.",
  text: "What you type goes encrypted to the server that makes the puppet. It is not stored.",
};

let offered = [];

const form = () => by("choose-view");
const chosen = (name) => form().querySelector(`input[name="${name}"]:checked`)?.value ?? null;
const avatar = () => offered.find((one) => one.id === chosen("avatar")) ?? null;

/** Show what may be worn; pictures come as they come. */
export function offer(avatars, desk) {
  offered = avatars;
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  by("avatars").replaceChildren(...avatars.map((one) => card(one, desk)));
  const usual = avatars.find((one) => one.id === kept.avatar) ?? avatars[0];
  for (const [name, value] of [
    ["avatar", usual?.id],
    ["driver", kept.driver],
    ["basis", kept.basis],
  ]) {
    const input = value && form().querySelector(`input[name="${name}"][value="${CSS.escape(value)}"]`);
    if (input) input.checked = true;
  }
  by("granted").max = new Date().toISOString().slice(0, 10);
  by("subject").value = kept.subject ?? "";
  by("granted").value = kept.granted ?? "";
  by("sound").checked = kept.sound ?? true;
  form().addEventListener("input", changed);
  changed();
}

/** What was chosen, as the server takes it; null where something is missing, which the browser tells. */
export function wish() {
  const driven_by = chosen("driver");
  const sound = driven_by !== "camera" || by("sound").checked;
  const one = avatar();
  if (!one || !form().reportValidity()) return null;
  const right = one.right === null ? stated() : null;
  const kept = { avatar: one.id, driver: driven_by, sound: by("sound").checked, basis: chosen("basis") };
  const grant = { subject: by("subject").value, granted: by("granted").value };
  sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, ...grant }));
  return { avatar: one.id, driven_by, sound, ...(right && { right }) };
}

/** Their name, for a sentence. */
export function chosenName() {
  return spoken(avatar()?.name ?? "");
}

function stated() {
  const basis = chosen("basis");
  return basis === "consent" ? { basis, subject: by("subject").value, granted: by("granted").value } : { basis };
}

function card(one, desk) {
  const input = make("input", { type: "radio", name: "avatar", value: one.id, required: true });
  const picture = make("img", { alt: "", width: 320, height: 320, load: () => URL.revokeObjectURL(picture.src) });
  desk.picture(one.picture).then(
    (address) => (picture.src = address),
    () => {},
  ); // its name will have to do
  return make("label", { class: "avatar" }, picture, make("span", { text: spoken(one.name) }), input);
}

function spoken(name) {
  return name
    .replaceAll(/[_-]+/g, " ")
    .trim()
    .replace(/(^|\s)\p{L}/gu, (letter) => letter.toUpperCase());
}

function changed() {
  const one = avatar();
  const mustState = one !== null && one.right === null;
  const byConsent = mustState && chosen("basis") === "consent";
  const driver = chosen("driver");
  by("right").hidden = !mustState;
  by("right-known").hidden = one === null || mustState;
  by("right-known").dataset.kind = "good";
  if (one?.right) say(by("right-known").querySelector(".word"), one.right);
  for (const input of form().querySelectorAll('input[name="basis"]')) input.required = mustState;
  by("grant").hidden = !byConsent;
  for (const id of ["subject", "granted"]) by(id).required = byConsent;
  by("sound-row").hidden = driver !== "camera";
  say(by("driver-hint"), HINTS[driver]);
  say(by("start"), driver === "camera" && by("sound").checked ? "Start with camera and voice" : STARTS[driver]);
  say(by("private-words"), PRIVATE[driver]);
}
