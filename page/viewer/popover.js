// Colors of a place: suggestions for that very place, and a wheel of all colors at its own lightness.
const CHROMA = 80; // at the edge of the wheel, in CIE units
const WHEEL = 168; // px
const PALE = 1.5; // chroma grows with this power of the distance from the middle: landscapes are mostly pale
const SUGGESTIONS = 8, ALIKE = 7; // CIE units in a and b
let at = null; // { L, a, b, step }: lightness of the place that is open, and the color that is chosen

async function openPlace(point, index = -1) {
  const [left, top, right, bottom] = photo.box;
  if (point.x < left || point.x > right || point.y < top || point.y > bottom) {
    complain(t("This is the border around the picture, which stays gray."));
    return;
  }
  if (index === -1 && look.points.length >= MOST_POINTS) {
    complain(t("There are {} points already, which is the most that a picture can have.", MOST_POINTS));
    return;
  }
  complain("");
  open_ = { x: point.x, y: point.y, index };
  const [L] = await labAt(versions.get("input").url, point.x, point.y);
  if (!open_ || open_.x !== point.x || open_.y !== point.y) return; // another place was opened meanwhile
  const [, a, b] = index >= 0 ? labOf(look.points[index].color) : [0, null, null];
  at = { L, a, b, step: {} };
  const popover = $(".popover");
  popover.hidden = false;
  $(".remove").hidden = index < 0;
  drawWheel();
  draw();
  await suggest();
  if (!popover.hidden) $(".suggestions button")?.focus({ preventScroll: true });
}

function closePopover(focus = false) {
  const popover = $(".popover"), index = open_?.index;
  if (!open_) return;
  open_ = null;
  at = null;
  popover.hidden = true;
  drawPoints();
  if (focus) (steeredPanes()[0]?.dabs.children[index] || stage).focus();
}

// The colors of all moods at the place, the most plausible first, then the automatic color and others around it.
async function suggest() {
  const { x, y } = open_, { L } = at, now = at;
  const pictures = [...moods.map((mood) => mood.url), versions.get(props.main)?.url].filter(Boolean);
  const labs = await Promise.all(pictures.map((url) => labAt(url, x, y)));
  if (at !== now) return;
  const [, a, b] = labs.at(-1) || [L, 0, 0], chroma = Math.max(15, Math.hypot(a, b)), hue = Math.atan2(b, a);
  const others = [[1.6, 0], [0.5, 0], [1, 0.6], [1, -0.6], [1.3, 1.2], [1.3, -1.2], [1.3, Math.PI], [1, 2], [1, -2]];
  const candidates = [...labs.map((lab) => lab.slice(1)), ...others.map(([more, turn]) => [Math.cos(hue + turn), Math.sin(hue + turn)].map((u) => u * more * chroma))];
  const colors = [];
  for (const [a, b] of candidates) {
    const differs = Math.hypot(a, b) >= 4 && colors.every((other) => Math.hypot(a - other[0], b - other[1]) >= ALIKE);
    if (differs && colors.length < SUGGESTIONS) colors.push([a, b]);
  }
  $(".suggestions").replaceChildren(...colors.map(([a, b]) => {
    const color = hexOf(fitted(L, a, b)), name = colorName(L, a, b);
    return make("button", { type: "button", class: "swatch", style: `background: ${color}`, "aria-label": name, title: name, onclick: () => give(a, b) });
  }));
}

// Give the open place a color; null leaves it gray.
function give(a, b, step = null) {
  Object.assign(at, { a, b });
  const color = a === null ? "#808080" : guidanceColor(at.L, a, b);
  const point = { x: open_.x, y: open_.y, color };
  if (open_.index === -1) {
    open_.index = look.points.length;
    $(".remove").hidden = false;
    steer({ points: [...look.points, point] }, step);
    reveal(point);
  } else steer({ points: look.points.map((other, i) => (i === open_.index ? { ...other, color } : other)) }, step);
  markWheel();
}

// a and b of a place on the wheel, whose rim is 1 away from its middle; beyond lies the rim.
function wheelColor(x, y) {
  const away = Math.max(1e-6, Math.hypot(x, y)), chroma = CHROMA * Math.min(1, away) ** PALE;
  return [chroma * x / away, chroma * y / away];
}

function drawWheel() {
  const canvas = $(".wheel canvas"), context = canvas.getContext("2d");
  const ratio = Math.min(2, window.devicePixelRatio || 1), size = Math.round(WHEEL * ratio);
  if (drawWheel.L !== at.L || canvas.width !== size) {
    drawWheel.L = at.L;
    canvas.width = canvas.height = size;
    const pixels = context.createImageData(size, size);
    for (let row = 0; row < size; row++) for (let column = 0; column < size; column++) {
      const x = 2 * (column + 0.5) / size - 1, y = 1 - 2 * (row + 0.5) / size;
      const edge = (1 - Math.hypot(x, y)) * size / 2; // px inside the rim
      if (edge <= 0) continue;
      const [a, b] = wheelColor(x, y);
      const rgb = fitted(at.L, a, b).map((u) => 255 * Math.min(1, Math.max(0, u)));
      pixels.data.set([...rgb, 255 * Math.min(1, edge)], 4 * (row * size + column));
    }
    context.putImageData(pixels, 0, 0);
  }
  markWheel();
}

function markWheel() {
  const wheel = $(".wheel"), mark = $(".mark"), { L, a, b } = at;
  mark.hidden = a === null;
  const chroma = Math.hypot(a, b), away = Math.min(1, chroma / CHROMA) ** (1 / PALE) / Math.max(1e-6, chroma);
  mark.style.left = `${50 + 50 * away * a}%`;
  mark.style.top = `${50 - 50 * away * b}%`;
  mark.style.background = hexOf(fitted(L, a || 0, b || 0));
  const hue = Math.round((Math.atan2(b, a) * 180 / Math.PI + 360) % 360);
  wheel.setAttribute("aria-valuenow", a === null ? 0 : hue);
  wheel.setAttribute("aria-valuetext", a === null ? t("no color yet") : t("{}, strength {} of {}", colorName(L, a, b), Math.round(chroma), CHROMA));
}

function wheelAt(event) {
  const box = $(".wheel").getBoundingClientRect();
  give(...wheelColor(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height), at.step);
}

function wheelKey(event) {
  const turn = { ArrowLeft: 1, ArrowRight: -1 }[event.key], grow = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!turn && !grow) return;
  event.preventDefault();
  const far = event.shiftKey ? 4 : 1;
  const hue = Math.atan2(at.b || 0, at.a || 0) + (turn || 0) * far * Math.PI / 36;
  const chroma = Math.min(CHROMA, Math.max(1, (at.a === null ? 30 : Math.hypot(at.a, at.b)) + (grow || 0) * far * 4));
  give(chroma * Math.cos(hue), chroma * Math.sin(hue), at.step);
}

// Beside the place and inside the window; on a narrow screen the style sheet lays it below the picture.
function placePopover() {
  const popover = $(".popover"), pane = steeredPanes()[0];
  if (popover.hidden || !pane) return;
  const frame = pane.frame.getBoundingClientRect(), around = $(".picture").getBoundingClientRect();
  const { x, y, width, height } = laid(pane.frame);
  const px = frame.left - around.left + x + open_.x * width, py = frame.top - around.top + y + open_.y * height;
  const wide = popover.offsetWidth, high = popover.offsetHeight;
  const before = px + 24 + wide > around.width;
  popover.style.left = `${Math.max(4, before ? px - 24 - wide : px + 24)}px`;
  popover.style.top = `${Math.max(4, Math.min(py - high / 2, around.height - high - 4))}px`;
}

function startPopover() {
  const wheel = $(".wheel");
  wheel.addEventListener("keydown", wheelKey);
  wheel.addEventListener("pointerdown", (event) => {
    wheel.setPointerCapture(event.pointerId);
    at.step = {};
    wheelAt(event);
  });
  wheel.addEventListener("pointermove", (event) => { if (at && wheel.hasPointerCapture(event.pointerId)) wheelAt(event); });
  $(".neutral").addEventListener("click", () => give(null, null));
  $(".remove").addEventListener("click", () => removePoint(open_.index));
  $(".close").addEventListener("click", () => closePopover(true));
  $(".popover").addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePopover(true);
    else if (event.key === "Delete" && open_?.index >= 0) removePoint(open_.index);
    else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    if (open_ && !event.target.closest?.("#viewer .stage, #viewer .popover, #viewer .toolbar")) closePopover();
  });
}
