// Colors: CIE Lab and sRGB, both ways, and names for colors. Lightness is L*, 0 to 100; a and b are in CIE units.
const WHITE = [0.95047, 1, 1.08883];
const toLinear = (u) => (u <= 0.04045 ? u / 12.92 : ((u + 0.055) / 1.055) ** 2.4);
const fromLinear = (u) => (u <= 0.0031308 ? 12.92 * u : 1.055 * u ** (1 / 2.4) - 0.055);

function rgbToLab([red, green, blue]) { // each 0 to 255
  const [r, g, b] = [red, green, blue].map((u) => toLinear(u / 255));
  const xyz = [
    0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    0.0193339 * r + 0.119192 * g + 0.9503041 * b,
  ];
  const [x, y, z] = xyz.map((u, i) => {
    const part = u / WHITE[i];
    return part > 216 / 24389 ? Math.cbrt(part) : (24389 / 27 * part + 16) / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function labToRgb([L, a, b]) { // each 0 to 1, and beyond where sRGB cannot show it
  const y = (L + 16) / 116;
  const [X, Y, Z] = [y + a / 500, y, y - b / 200].map((f, i) => WHITE[i] * (f ** 3 > 216 / 24389 ? f ** 3 : (116 * f - 16) * 27 / 24389));
  return [
    3.2404542 * X - 1.5371385 * Y - 0.4985314 * Z,
    -0.969266 * X + 1.8760108 * Y + 0.041556 * Z,
    0.0556434 * X - 0.2040259 * Y + 1.0572252 * Z,
  ].map(fromLinear);
}

const inGamut = (rgb) => rgb.every((u) => u >= -0.002 && u <= 1.002); // whether sRGB can show it
const hexOf = (rgb) => "#" + rgb.map((u) => Math.round(255 * Math.min(1, Math.max(0, u))).toString(16).padStart(2, "0")).join("");
const labOf = (hex) => rgbToLab([1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));

// The color as the place shows it: paler where sRGB has no such color at its lightness, as the server does.
function fitted(L, a, b) {
  let most = 1, least = 0;
  if (inGamut(labToRgb([L, a, b]))) return labToRgb([L, a, b]);
  for (let i = 0; i < 7; i++) {
    const middle = (most + least) / 2;
    if (inGamut(labToRgb([L, middle * a, middle * b]))) least = middle; else most = middle;
  }
  return labToRgb([L, least * a, least * b]);
}

// The color as guidance says it, of which only a and b count: at the lightness nearest to the place's that can show it.
function guidanceColor(L, a, b) {
  for (let step = 0; step <= 100; step += 4) {
    for (const near of [L - step, L + step]) {
      const rgb = labToRgb([near, a, b]);
      if (near >= 5 && near <= 95 && inGamut(rgb)) return hexOf(rgb);
    }
  }
  return hexOf(fitted(60, a, b));
}

const NAMES = [ // up to which hue in degrees
  [18, "pink"], [48, "red"], [72, "orange"], [100, "yellow"], [125, "yellow green"], [168, "green"], [222, "turquoise"], [290, "blue"],
  [330, "violet"], [360, "pink"],
];
function colorName(L, a, b) {
  if (Math.hypot(a, b) < 6) return t("gray");
  const hue = (Math.atan2(b, a) * 180 / Math.PI + 360) % 360;
  const name = NAMES.find(([end]) => hue <= end)[1];
  return t(L < 60 && (name === "orange" || name === "yellow") && Math.hypot(a, b) < 60 ? "brown" : name);
}

// The pixels of a picture, small, to look up colors in. They are kept for as long as the picture is.
const looked = new Map();
function pixelsOf(url) {
  if (!looked.has(url)) looked.set(url, (async () => {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const scale = Math.min(1, 400 / Math.max(picture.naturalWidth, picture.naturalHeight));
    const canvas = make("canvas", { width: Math.max(1, picture.naturalWidth * scale), height: Math.max(1, picture.naturalHeight * scale) });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  })());
  if (looked.size > 30) looked.delete(looked.keys().next().value);
  return looked.get(url);
}
async function labAt(url, x, y) {
  const { data, width, height } = await pixelsOf(url);
  const column = Math.min(width - 1, Math.floor(x * width)), row = Math.min(height - 1, Math.floor(y * height));
  return rgbToLab(data.slice(4 * (row * width + column), 4 * (row * width + column) + 3));
}
