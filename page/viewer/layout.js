// Layout: how large the stage is, and where each picture lies in its frame.
const narrow = () => window.innerWidth <= 800;
const KEEP = 44; // height of a button under a picture, px

// How many pictures stand in a row: as large as they can be, but a little smaller rather than with an empty place.
function columns(count, width, height, keep) {
  const [w, h] = photo.size;
  let best = 1, most = 0;
  for (let n = 1; n <= count; n++) {
    const rows = Math.ceil(count / n);
    const worth = Math.min(width / n / w, (height / rows - keep) / h) * Math.sqrt(count / (n * rows));
    if (worth > most * 1.001) [best, most] = [n, worth];
  }
  return best;
}

// Height that is left for the stage: below it lie the moods, above it the toolbar.
function available() {
  const full = document.fullscreenElement?.contains(element);
  const [w, h] = photo.size;
  if (narrow() && !full) return photo.file ? window.innerHeight * (comparing ? 0.72 : 0.61) : Math.min(0.5 * window.innerHeight, ($(".stage").clientWidth * h) / w);
  const above = $(".stage").getBoundingClientRect().top + (full ? 0 : window.scrollY);
  return Math.max(300, window.innerHeight - Math.min(above, 190) - $(".moods").offsetHeight - 28);
}

function resize() {
  const stage = $(".stage"), width = stage.clientWidth;
  if (!width || !photo) return;
  const [w, h] = photo.size;
  const count = panes.length, room = available();
  const keep = mode === "blind" && comparing && !kept ? KEEP : 0;
  const n = count > 1 ? columns(count, width, room, keep) : 1;
  const rows = Math.ceil(count / n);
  const height = narrow() && count === 1 ? room : Math.min(room, rows * (((width / n) * h) / w + keep) + (rows - 1) * 4);
  const cell = (height - (rows - 1) * 4) / rows - keep;
  stage.style.gridTemplateColumns = count > 1 ? `repeat(${n}, ${Math.floor(Math.min((width - (n - 1) * 4) / n, (cell * w) / h))}px)` : "100%";
  stage.style.height = `${Math.round(Math.max(height, 120))}px`;
  place();
}

function scales() {
  const [w, h] = photo.size, frame = panes[0].frame;
  const fit = Math.min(frame.clientWidth / w, frame.clientHeight / h); // CSS pixels per picture pixel
  return { w, h, fit, actual: 1 / (fit * window.devicePixelRatio) };
}

// Where the picture lies in a frame: its left, top, width and height in CSS pixels.
function laid(frame) {
  const { w, h, fit } = scales(), scale = fit * view.zoom;
  const width = w * scale, height = h * scale;
  return { x: frame.clientWidth / 2 - view.x * width, y: frame.clientHeight / 2 - view.y * height, width, height };
}

function place() {
  if (!panes.length || !panes[0].frame.clientWidth) return;
  const { w, h, fit, actual } = scales();
  const clamp = (center, length, room) => {
    const half = room / 2 / (length * fit * view.zoom);
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, center));
  };
  for (const pane of panes) {
    const W = pane.frame.clientWidth, H = pane.frame.clientHeight;
    view.x = clamp(view.x, w, W);
    view.y = clamp(view.y, h, H);
    const { x, y, width, height } = laid(pane.frame);
    for (const img of pane.images) {
      img.style.width = `${width}px`;
      img.style.height = `${height}px`;
      img.style.transform = `translate(${x}px, ${y}px)`;
      img.style.imageRendering = fit * view.zoom * window.devicePixelRatio >= 3 ? "pixelated" : "auto";
    }
    pane.names.forEach((name, index) => { // inside the picture, at its lower corners
      name.style.bottom = `${Math.max(8, H - y - height + 8)}px`;
      name.style[index ? "right" : "left"] = `${Math.max(8, index ? W - x - width + 8 : x + 8)}px`;
    });
    for (const dab of pane.dabs.children) {
      dab.style.left = `${x + dab.point.x * width}px`;
      dab.style.top = `${y + dab.point.y * height}px`;
    }
    if (pane.handle) placeDivider(pane, x, width, Math.max(0, y), Math.max(0, H - y - height));
  }
  $(".stage").classList.toggle("zoomed", view.zoom > 1.001);
  $(".zoom output").textContent = `${Math.round((100 * view.zoom) / actual)} %`;
  placePopover();
  wantFull();
}

function placeDivider(pane, x, width, top, bottom) {
  const at = (divider / 100) * pane.frame.clientWidth;
  pane.images[1].style.clipPath = `inset(0 0 0 ${Math.min(Math.max(at - x, 0), width)}px)`;
  pane.handle.style.cssText = `left: ${at}px; --top: ${top}px; --bottom: ${bottom}px`;
  pane.handle.setAttribute("aria-valuenow", Math.round(divider));
  pane.handle.setAttribute("aria-valuetext", t("{} of 100 shows {}", Math.round(divider), title(pane.versions[0])));
}

// The full size comes when one zooms in.
function wantFull() {
  if (!photo?.file || !panes.length) return;
  const { w, fit } = scales();
  for (const name of chosen()) {
    const version = versions.get(name);
    if (version && !version.whole && w * fit * view.zoom * window.devicePixelRatio > 1.3 * version.width) want("full", name);
    if (errors && isResult(name)) want("error", name);
  }
}
