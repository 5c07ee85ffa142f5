// State: the photograph, how it is to be colored, the versions that there are, and how they are looked at.
const NOTHING = { strength: 1, contrast: false, points: [], mood: null };
let photo = null; // what the server says of the photograph; the page's own example before there is one
let look = { ...NOTHING }; // how it is to be colored
let undone = [], done = []; // points and moods, to go back and forth between
const versions = new Map(); // by name: { name, url, width, whole, key }
const details = new Map(); // pictures at full size and of errors, by kind and name: { url, key }
let moods = []; // { name, url }, the most plausible first

let comparing = false, mode = "slider", left = "input", right = "", single = "", errors = false;
let divider = 50; // per cent of the frame's width
let view = { zoom: 1, x: 0.5, y: 0.5 }; // zoom 1 fits; x and y are the picture's point in the middle of each frame
let hidden = false; // the points

const steered = () => look.points.length > 0 || look.mood !== null;
const guidance = ({ points, mood } = look) => ({ version: 1, points, ...(mood && { mood }) });
const result = () => (steered() && photo.steerable ? props.steered : props.main); // the version that is the visitor's own
const isResult = (name) => name === props.steered || props.models.includes(name);
const steerable = () => Boolean(photo?.steerable) && mode !== "blind";
const title = (name) => t(!comparing && isResult(name) ? "In color" : !comparing && name === "input" ? "Black and white" : props.titles[name]);

// What a version of a look depends on: with another key it is out of date.
function keyOf(name, wanted = look) {
  const { strength, contrast } = wanted;
  if (name === "input" || name === "original") return photo.file;
  return JSON.stringify([photo.file, strength, contrast, name === props.steered ? guidance(wanted) : 0]);
}
const isCurrent = (name) => versions.get(name)?.key === keyOf(name);

// The versions that there are for the look of now, in the order of the server's titles.
function names() {
  const there = Object.keys(props.titles).filter((name) => versions.has(name));
  return there.filter((name) => name !== props.steered || (steered() && photo.steerable));
}

// The versions that the view of now shows.
function chosen() {
  const there = names();
  const own = [result(), props.main].find((name) => there.includes(name));
  if (!comparing) return own ? ["input", own] : ["input"];
  if (mode === "blind") return [...shuffled, "input"];
  if (mode === "grid") return there;
  if (mode === "single") return [there.includes(single) ? single : own || "input"];
  const before = there.includes(left) ? left : "input";
  const after = there.includes(right) ? right : own;
  return after ? [before, after] : [before];
}

// Change points or mood; what was before can be had back. Changes with the same `step` are undone together.
function steer(change, step = null) {
  const before = { points: look.points, mood: look.mood };
  if (step === null || steer.step !== step) { done.push(before); undone = []; }
  steer.step = step;
  look = { ...look, ...change };
  changed();
}
function travel(from, to) {
  if (!from.length) return;
  to.push({ points: look.points, mood: look.mood });
  steer.step = null;
  look = { ...look, ...from.pop() };
  closePopover();
  changed();
}
const undo = () => travel(done, undone);
const redo = () => travel(undone, done);

// The look has changed: what is shown follows.
function changed() {
  remember();
  refresh();
  follow();
}
