// Mouse, fingers and keys on the stage: a click gives a place its color, a drag moves the divider or the picture.
const stage = $(".stage");
const pointers = new Map();
const STILL = 5; // px that a click may move
let pinch = null, press = null;

const within = (box, event) => event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
const paneAt = (event) => panes.find((pane) => within(pane.frame.getBoundingClientRect(), event)) || panes[0];

stage.addEventListener("wheel", (event) => {
  if (!panes.length || (event.deltaY > 0 && view.zoom <= 1)) return; // the page scrolls on
  event.preventDefault();
  zoomTo(Math.max(1, view.zoom * Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400))), paneAt(event), event.clientX, event.clientY);
}, { passive: false });
stage.addEventListener("dblclick", (event) => {
  if (event.target.closest("button")) return;
  closePopover();
  actualSize(event);
});
stage.addEventListener("keydown", (event) => {
  if (event.target.closest("button") || event.ctrlKey || event.metaKey || event.altKey || !panes.length) return;
  const act = {
    "+": () => zoomTo(view.zoom * 1.25), "=": () => zoomTo(view.zoom * 1.25), "-": () => zoomTo(view.zoom / 1.25),
    0: () => zoomTo(1), 1: () => actualSize(), Enter: () => steerable() && addPoint(),
    ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
  }[event.key];
  if (!act || (event.key.startsWith("Arrow") && view.zoom <= 1)) return;
  event.preventDefault();
  act();
});

const dividerAt = (event) => {
  const box = panes[0].frame.getBoundingClientRect();
  setDivider((100 * (event.clientX - box.left)) / box.width);
};
stage.addEventListener("pointerdown", (event) => {
  if (event.target.closest("button") || event.button > 0 || !panes.length) return;
  pointers.set(event.pointerId, event);
  stage.setPointerCapture(event.pointerId);
  if (pointers.size > 1) { press = null; return; }
  const onHandle = event.target.closest(".handle");
  press = { x: event.clientX, y: event.clientY, moved: false, onHandle, divides: onHandle || (panes[0].handle && view.zoom <= 1.001) };
});
stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  if (pointers.size === 1 && press && !press.moved) {
    if (Math.hypot(event.clientX - press.x, event.clientY - press.y) < STILL) return;
    press.moved = true;
  }
  pointers.set(event.pointerId, event);
  if (pointers.size === 2) {
    const [a, b] = [...pointers.values()];
    const apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (pinch) zoomTo(Math.max(1, (view.zoom * apart) / pinch), paneAt(a), (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
    pinch = apart;
  } else if (press?.divides) dividerAt(event);
  else if (press) pan(event.clientX - before.clientX, event.clientY - before.clientY);
});
stage.addEventListener("pointerup", (event) => {
  if (press && !press.moved && !press.onHandle && pointers.has(event.pointerId)) clicked(event);
  lift(event);
});
stage.addEventListener("pointercancel", (event) => lift(event));

function lift(event) {
  pointers.delete(event.pointerId);
  pinch = null;
  if (!pointers.size) { press = null; remember(); }
}

// A click on a picture: on the visitor's own result it opens the colors of the place, elsewhere it moves the divider.
function clicked(event) {
  const pane = paneAt(event);
  const box = pane.frame.getBoundingClientRect(), { x, y, width, height } = laid(pane.frame);
  const point = { x: (event.clientX - box.left - x) / width, y: (event.clientY - box.top - y) / height };
  const onPicture = point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1;
  if (steerable() && pane.versions.includes(result()) && onPicture) openPlace(point);
  else {
    closePopover();
    if (pane.handle && !steerable()) dividerAt(event);
  }
}

new ResizeObserver(resize).observe(stage);
window.addEventListener("resize", resize);
document.addEventListener("fullscreenchange", () => setTimeout(resize, 50));
