// Requests to the server, and its answers: pictures at full size and of errors, files to save.
function want(kind, name) {
  const key = `${kind} ${name}`;
  if (!ready() || details[key] || wanted.has(key)) return;
  wanted.add(key);
  status();
  clearTimeout(want.timer); // gather what is wanted, and ask once one has stopped moving
  want.timer = setTimeout(() => trigger("want", { id: value().id, keys: [...wanted] }), 150);
}

function wantErrors() {
  if (errors) for (const p of results()) want("error", p.name);
}

document.addEventListener("colorization-answer", ({ detail }) => {
  if (detail.id !== value().id) return;
  for (const [key, file] of Object.entries(detail.details || {})) {
    details[key] = file;
    wanted.delete(key);
    const preload = new Image();
    preload.src = file.url;
    preload.decode().catch(() => {}).then(() => { if (detail.id === value().id) draw(); });
  }
  if (detail.failed) wanted.clear();
  for (const button of element.querySelectorAll("[data-download]")) if (button.dataset.download === detail.download) button.disabled = false;
  status();
});
