// What this page knows of verbs beyond what they say of themselves: a label, where they stand, how to read from the
// server's state how they stand, and what is usual. A verb that is missing here gets its control all the same.

const DEGREES = 180 / Math.PI;

export const GROUPS = [
  { name: "Avatar", hint: "" },
  { name: "Background", hint: "" },
  { name: "Motion", hint: "How much of your motion the puppet takes over. 1 is as you move." },
  { name: "Following", hint: "" },
  { name: "Character", hint: "Gives what you do another personality." },
  { name: "Voice", hint: "Counts while a voice drives." },
  { name: "Performances", hint: "Played over your own motion, one after another. Keys 1 to 9 play them, 0 stops." },
  {
    name: "Expression",
    hint: "Added to what your face does: 1 a clear one, −1 takes as much away. Intensity counts for all of it.",
  },
  { name: "Picture", hint: "" },
  { name: "More", hint: "" },
  { name: "All settings", hint: "They are kept for the next run, with each avatar and each camera." },
];

export const KNOWN = {
  panic: { label: "Panic", told: (m) => m.state.panic, on: "on: press to end", off: "send a card" },
  away: { label: "Away", told: (m) => m.state.away },
  freeze: { label: "Freeze", told: (m) => m.state.frozen },
  recentre: { label: "Re-centre" },
  mute: { label: "Mute", told: (m) => (m.sound ? m.sound.muted : null), without: "no microphone" },
  record: { label: "Record", told: (m) => (m.recording ? m.recording.on : null), without: "not here" },
  avatar: { group: "Avatar", told: (m) => m.state.puppet },
  background: { group: "Background", told: (m) => m.state.backdrop, usual: "portrait" },
  gain: { group: "Motion", told: (m, region) => m.state.gains[region], usual: 1 },
  still: { group: "Motion", label: "still", told: (m, region) => m.state.still.includes(region), usual: false },
  "head-speed": {
    group: "Following",
    label: "Head speed",
    told: (m) =>
      m.state.head_speed_rad_s === null ? null : Math.round(m.state.head_speed_rad_s * DEGREES * 10) / 10,
    usual: null,
    first: 90, // when it is switched on
  },
  smoothing: { group: "Following", label: "Smoothing", told: (m) => m.state.smoothing, usual: 1 },
  liveliness: { group: "Voice", label: "Liveliness", told: (m) => m.state.liveliness, usual: 1 },
  "voice-intensity": { group: "Voice", label: "Intensity", told: (m) => m.state.voice_intensity, usual: 1 },
  "voice-region": { group: "Voice", label: "Moves", told: (m) => m.state.voice_region, usual: "shoulders" },
  emotion: { group: "Voice", label: "Emotion", told: (m) => m.state.emotion, usual: "off" },
  play: { group: "Performances", told: (m) => m.state.playing },
  "stop-playing": { group: "Performances", label: "Stop" },
  style: { group: "Character", label: "Style", told: (m) => m.state.style, usual: "off" },
  direction: { group: "Expression", told: (m, name) => m.state.directions[name], usual: 0 },
  mirror: { group: "Picture", label: "Mirror", told: (m) => m.state.mirror, usual: false },
  label: {
    group: "Picture",
    label: "“Synthetic” label",
    told: (m) => m.state.label,
    usual: "br",
    words: { tl: "top left", tr: "top right", bl: "bottom left", br: "bottom right" },
  },
  reset: { group: "All settings", label: "Back to usual" },
  quality: { group: "Picture", label: "Quality", told: (m) => m.state.asked_quality, usual: "auto" },
};

/** What is known of a verb. One that is new is looked for in the state by its own name. */
export function known(verb) {
  const told = (m) => m.state[verb.name.replaceAll("-", "_")] ?? null;
  return { label: named(verb.name), group: "More", words: {}, on: "on", off: "off", told, ...KNOWN[verb.name] };
}

/** A name as people write it. */
export function named(name) {
  const spaced = name.replaceAll("-", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
