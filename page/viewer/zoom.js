// Zoom, pan and the divider: how they are changed.
function zoomTo(zoom, pane = panes[0], px = null, py = null) {
  if (!pane) return;
  const { w, h, fit, actual } = scales();
  const next = Math.min(Math.max(zoom, Math.min(1, actual)), Math.max(8, 8 * actual));
  if (px != null) { // the point under the pointer stays there
    const box = pane.frame.getBoundingClientRect();
    const dx = px - box.left - box.width / 2, dy = py - box.top - box.height / 2;
    view.x += dx / (w * fit) * (1 / view.zoom - 1 / next);
    view.y += dy / (h * fit) * (1 / view.zoom - 1 / next);
  }
  view.zoom = next;
  place();
}

function actualSize(event) {
  const { actual } = scales();
  const there = Math.abs(view.zoom - actual) < 0.01 * actual;
  event ? zoomTo(there ? 1 : actual, paneAt(event), event.clientX, event.clientY) : zoomTo(there ? 1 : actual);
}

function pan(dx, dy) {
  const { w, h, fit } = scales();
  view.x -= dx / (w * fit * view.zoom);
  view.y -= dy / (h * fit * view.zoom);
  place();
}

function setDivider(percent) {
  divider = Math.min(100, Math.max(0, percent));
  place();
}

function moveDivider(event) {
  const step = event.shiftKey ? 10 : 2;
  const to = { ArrowLeft: divider - step, ArrowDown: divider - step, ArrowRight: divider + step, ArrowUp: divider + step, Home: 0, End: 100 };
  if (!(event.key in to)) return;
  event.preventDefault();
  event.stopPropagation();
  setDivider(to[event.key]);
}

// Uncover the result where a color was given: the divider moves to the left of it.
function reveal(point) {
  const pane = panes[0];
  if (!pane?.handle) return;
  const { x, width } = laid(pane.frame);
  const at = (100 * (x + point.x * width)) / pane.frame.clientWidth;
  if (divider > at - 6) glide(Math.max(0, at - 15));
}

function glide(target) {
  const start = divider, began = performance.now();
  const quick = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const step = (now) => {
    const part = quick ? 1 : Math.min(1, Math.max(0, now - began) / 220);
    setDivider(start + (target - start) * part * (2 - part));
    if (part < 1) requestAnimationFrame(step);
  };
  step(began);
}
