// Mouse, fingers and keys on the stage.
const stage = $(".stage");
stage.addEventListener("wheel", (event) => {
  if (!panes.length || (event.deltaY > 0 && view.zoom <= 1)) return; // the page scrolls on
  event.preventDefault();
  zoomTo(Math.max(1, view.zoom * Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400))), paneAt(event), event.clientX, event.clientY);
}, { passive: false });
stage.addEventListener("dblclick", (event) => { if (!event.target.closest("button")) actualSize(event); });
stage.addEventListener("keydown", (event) => {
  if (event.target.closest("button") || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    "+": () => zoomTo(view.zoom * 1.25), "=": () => zoomTo(view.zoom * 1.25), "-": () => zoomTo(view.zoom / 1.25),
    0: () => zoomTo(1), 1: () => actualSize(),
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
  const onHandle = event.target.closest(".handle");
  dragging = onHandle || (panes[0].handle && view.zoom <= 1.001 && event.pointerType === "mouse") ? "divider" : "pan";
  if (dragging === "divider" && !onHandle) dividerAt(event);
});
stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  if (pointers.size === 2) {
    const [a, b] = [...pointers.values()];
    const apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (pinch) zoomTo(Math.max(1, (view.zoom * apart) / pinch), paneAt(a), (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
    pinch = apart;
  } else if (dragging === "divider") dividerAt(event);
  else pan(event.clientX - before.clientX, event.clientY - before.clientY);
});
for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, (event) => {
  pointers.delete(event.pointerId);
  pinch = null;
});
new ResizeObserver(resize).observe($(".shown"));
window.addEventListener("resize", resize);
document.addEventListener("fullscreenchange", () => setTimeout(resize, 50));
