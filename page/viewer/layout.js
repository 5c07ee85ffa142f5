// Layout: how large the stage is, and where each picture lies in its frame.
// How many pictures stand in a row: as large as they can be, but a little smaller rather than with an empty place.
// `keep` is the height of what is under each picture.
function columns(count, width, height, keep) {
  const [w, h] = value().size;
  let best = 1, most = 0;
  for (let n = 1; n <= count; n++) {
    const rows = Math.ceil(count / n);
    const worth = Math.min(width / n / w, (height / rows - keep) / h) * Math.sqrt(count / (n * rows));
    if (worth > most * 1.001) [best, most] = [n, worth];
  }
  return best;
}

function resize() {
  const stage = $(".stage"), width = stage.clientWidth;
  if (!width || !pictures().length) return;
  const [w, h] = value().size;
  const full = document.fullscreenElement && document.fullscreenElement.contains(element);
  const top = element.getBoundingClientRect().top + window.scrollY;
  const narrow = window.innerWidth <= 640;
  const keep = mode === "blind" && !kept ? 40 : 0; // the buttons under each picture
  const available = narrow ? window.innerHeight * 0.75 : Math.max(320, window.innerHeight - (full ? 0 : Math.min(top, 160)) - 140);
  const count = panes.length;
  const n = count > 1 ? columns(count, width, available, keep) : 1;
  const rows = Math.ceil(count / n);
  const height = Math.min(available, rows * (((width / n) * h) / w + keep) + (rows - 1) * 4);
  const cell = (height - (rows - 1) * 4) / rows - keep;
  stage.style.gridTemplateColumns = count > 1 ? `repeat(${n}, ${Math.floor(Math.min((width - (n - 1) * 4) / n, (cell * w) / h))}px)` : "100%";
  stage.style.gridAutoRows = "minmax(0, 1fr)";
  stage.style.height = `${Math.round(Math.max(height, 120))}px`;
  place();
}

function scales() {
  const [w, h] = value().size, frame = panes[0].frame;
  const fit = Math.min(frame.clientWidth / w, frame.clientHeight / h); // CSS pixels per picture pixel
  return { w, h, fit, actual: 1 / (fit * window.devicePixelRatio) };
}

function place() {
  if (!panes.length || !panes[0].frame.clientWidth) return;
  const { w, h, fit, actual } = scales();
  const shown = fit * view.zoom;
  const clamp = (center, length, room) => {
    const half = room / 2 / (length * shown);
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, center));
  };
  for (const pane of panes) {
    const W = pane.frame.clientWidth, H = pane.frame.clientHeight;
    view.x = clamp(view.x, w, W);
    view.y = clamp(view.y, h, H);
    const x = W / 2 - view.x * w * shown, y = H / 2 - view.y * h * shown;
    for (const img of pane.images) {
      img.style.width = `${w * shown}px`;
      img.style.height = `${h * shown}px`;
      img.style.transform = `translate(${x}px, ${y}px)`;
      img.style.imageRendering = shown * window.devicePixelRatio >= 3 ? "pixelated" : "auto";
    }
    pane.names.forEach((name, index) => { // inside the picture, at its lower corners
      name.style.bottom = `${Math.max(8, H - y - h * shown + 8)}px`;
      name.style[index ? "right" : "left"] = `${Math.max(8, index ? W - x - w * shown + 8 : x + 8)}px`;
    });
    if (pane.handle) {
      const at = (divider / 100) * W;
      pane.images[1].style.clipPath = `inset(0 0 0 ${Math.min(Math.max(at - x, 0), w * shown)}px)`;
      pane.handle.style.left = `${at}px`;
      pane.handle.setAttribute("aria-valuenow", Math.round(divider));
      pane.handle.setAttribute("aria-valuetext", t("{} of 100 shows {}", Math.round(divider), title(pane.pictures[0])));
    }
  }
  const zoomed = view.zoom > 1.001;
  $(".stage").classList.toggle("zoomed", zoomed);
  $(".zoom output").textContent = `${Math.round((100 * view.zoom) / actual)} %`;
  for (const p of chosen().filter(Boolean)) if (!p.whole && (w * shown * window.devicePixelRatio) > 1.3 * p.width) want("full", p.name);
}
