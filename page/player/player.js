// The player. A video's lightness is that of its source, so that what it was before is what it is now without color.
const HIGHEST = 58; // of the window's height in per cent, so that the whole picture and what is below it are seen
const frame = $(".frame"), image = $("img"), video = $("video"), divider = $(".divider"), handle = $(".line i");

function place() {
  $(".before").style.width = `${divider.value}%`;
  $(".line").style.left = `${divider.value}%`;
}

function fit(width, height) {
  if (width && height) $(".player").style.width = `min(100%, ${(HIGHEST * width) / height}vh)`;
}

function show({ picture = "", video: file = null }) {
  $(".player").hidden = !picture && !file;
  image.hidden = !picture;
  if (picture) image.src = picture;
  image.alt = picture ? t("The newest frame in color") : "";
  const url = file?.url || "";
  video.hidden = !url;
  if (video.getAttribute("src") !== url) url ? video.setAttribute("src", url) : video.removeAttribute("src");
  $(".download").hidden = !url;
  if (url) Object.assign($(".download"), { href: url, download: file.orig_name });
}

function move({ clientX }) {
  const { left, width } = frame.getBoundingClientRect();
  divider.value = (100 * (clientX - left)) / width;
  place();
}

image.addEventListener("load", () => fit(image.naturalWidth, image.naturalHeight));
video.addEventListener("loadedmetadata", () => fit(video.videoWidth, video.videoHeight));
divider.addEventListener("input", place);
handle.addEventListener("pointerdown", (event) => {
  handle.setPointerCapture(event.pointerId);
  event.preventDefault();
});
handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && move(event));
watch("value", () => show(props.value || {}));
place();
show(props.value || {});
