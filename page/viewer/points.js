// Points of color on the picture: drawn as rings, placed, moved and removed by mouse, finger and keys.
const MOST_POINTS = 64;
let open_ = null; // the point whose colors are open: { x, y, index }, index -1 before it has a color

const steeredPanes = () => panes.filter((pane) => pane.versions.includes(result()));

function drawPoints() {
  for (const pane of panes) {
    const mine = steerable() && pane.versions.includes(result());
    const points = mine ? look.points.map((point, index) => ({ point, index })) : [];
    if (mine && open_?.index === -1) points.push({ point: open_, index: -1 });
    const focused = [...pane.dabs.children].indexOf(document.activeElement);
    while (pane.dabs.children.length > points.length) pane.dabs.lastChild.remove();
    while (pane.dabs.children.length < points.length) pane.dabs.append(ring());
    points.forEach(({ point, index }, i) => {
      const dab = pane.dabs.children[i];
      Object.assign(dab, { point, index });
      dab.style.setProperty("--color", point.color || "transparent");
      dab.classList.toggle("open", open_ !== null && open_.index === index);
      dab.setAttribute("aria-label", spoken(point, index));
    });
    if (focused >= 0) pane.dabs.children[Math.min(focused, points.length - 1)]?.focus();
  }
  $(".picture").classList.toggle("bare", hidden);
}

// What a screen reader says of a point: where it is and its color.
function spoken(point, index) {
  const [x, y] = [point.x, point.y].map((u) => Math.round(100 * u));
  if (index === -1) return t("New point, {} % from the left, {} % from the top, no color yet", x, y);
  return t("Point {}, {} % from the left, {} % from the top, {}", index + 1, x, y, colorName(...labOf(point.color)));
}

function ring() {
  const dab = make("button", { type: "button", class: "dab", onkeydown: pointKey });
  let from = null;
  dab.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    event.stopPropagation();
    dab.setPointerCapture(event.pointerId);
    from = { x: event.clientX, y: event.clientY, moved: false, step: {} };
  });
  dab.addEventListener("pointermove", (event) => {
    if (!from || (!from.moved && Math.hypot(event.clientX - from.x, event.clientY - from.y) < STILL)) return;
    from.moved = true;
    const frame = dab.closest(".frame"), box = frame.getBoundingClientRect(), { x, y, width, height } = laid(frame);
    movePoint(dab.index, (event.clientX - box.left - x) / width, (event.clientY - box.top - y) / height, from.step);
  });
  for (const type of ["pointerup", "pointercancel"]) dab.addEventListener(type, () => { from = from?.moved ? { moved: true } : null; });
  dab.addEventListener("click", () => { // of the mouse, a finger, Enter and the space bar
    if (from?.moved) from = null;
    else if (dab.index >= 0) openPlace(look.points[dab.index], dab.index);
  });
  return dab;
}

function movePoint(index, x, y, step) {
  [x, y] = [x, y].map((u) => Math.round(1e4 * Math.min(1, Math.max(0, u))) / 1e4);
  if (index === -1) {
    Object.assign(open_, { x, y });
    drawPoints();
    place();
    return;
  }
  if (open_?.index === index) closePopover();
  steer({ points: look.points.map((point, i) => (i === index ? { ...point, x, y } : point)) }, step);
}

function removePoint(index) {
  closePopover();
  steer({ points: look.points.filter((_, i) => i !== index) });
  (steeredPanes()[0]?.dabs.children[Math.max(0, index - 1)] || stage).focus();
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function pointKey(event) {
  const dab = event.currentTarget, move = MOVES[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (move) {
    const far = event.shiftKey ? 0.05 : 0.01;
    pointKey.step = event.repeat || pointKey.last === dab.index ? pointKey.step : {};
    pointKey.last = dab.index;
    movePoint(dab.index, dab.point.x + far * move[0], dab.point.y + far * move[1], pointKey.step);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    if (dab.index === -1) closePopover(); else removePoint(dab.index);
  } else if (event.key === "Enter" && dab.index === -1) openPlace(dab.point);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

// A new point for those who do not click: in the middle of what is seen, moved by the arrow keys, colored after Enter.
function addPoint() {
  open_ = { x: view.x, y: view.y, index: -1 };
  $(".popover").hidden = true;
  draw();
  steeredPanes()[0]?.dabs.lastChild?.focus();
}
