// State: the versions of a photograph that there are, and how they are looked at.
const MODES = { slider: "Slider", grid: "Grid", single: "Single", blind: "Blind vote" };
const LETTERS = "ABCDEF";
let mode = "slider", left = "input", right = "", single = "", errors = false, divider = 50;
let view = { zoom: 1, x: 0.5, y: 0.5 }; // zoom 1 fits; x and y are the picture's point in the middle of each frame
let shuffled = [], kept = "", photograph = "";
let details = {}, wanted = new Set(); // full-size and error pictures by kind and name, of the version that is shown
let panes = [];
const pointers = new Map();
let pinch = null, dragging = "";

const value = () => props.value || {};
const pictures = () => value().pictures || [];
const results = () => pictures().filter((p) => p.result);
const find = (name) => pictures().find((p) => p.name === name);
const title = (p) => (p.result ? p.title : t(p.title));
const ready = () => pictures().length > 0 && !value().doing;

function chosen() {
  const last = results().at(-1);
  if (mode === "blind") return shuffled.map(find).filter(Boolean);
  if (mode === "grid") return pictures();
  if (mode === "single") return [find(single) || last || pictures()[0]];
  const before = find(left) || pictures()[0];
  const after = find(right) || last;
  return after ? [before, after] : [before];
}
