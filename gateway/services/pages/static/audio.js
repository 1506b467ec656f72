// The first seconds of a call, drawn: waveform and spectrogram of a mono 16-bit WAV.
"use strict";

const SIZE = 256; // samples of one Fourier transform: 31 Hz a row at 8 kHz
const FLOOR = -80; // dB below full scale that is drawn as nothing

const drawn = new WeakSet();
const all = () => {
  for (const box of document.querySelectorAll("[data-audio]")) if (!drawn.has(box)) draw(box);
};
all();
document.addEventListener("refreshed", all); // an attempt that ends while the page is open brings its audio

async function draw(box) {
  drawn.add(box);
  const answer = await fetch(box.dataset.audio);
  if (!answer.ok) {
    box.replaceChildren(Object.assign(document.createElement("p"), { textContent: "The audio was removed after its time.", className: "soft" }));
    return;
  }
  const { samples, rate } = read(await answer.arrayBuffer());
  const again = () => {
    wave(box.querySelector('[data-draw="wave"]'), samples, rate);
    spectrum(box.querySelector('[data-draw="spectrum"]'), samples);
  };
  again();
  box.dataset.drawn = "";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}

function read(buffer) {
  const view = new DataView(buffer);
  let rate = 8000;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const name = view.getUint32(at);
    const size = view.getUint32(at + 4, true);
    if (name === 0x666d7420) rate = view.getUint32(at + 12, true); // "fmt "
    if (name === 0x64617461) { // "data"
      const count = Math.min(size, view.byteLength - at - 8) >> 1;
      const samples = new Float32Array(count);
      for (let n = 0; n < count; n += 1) samples[n] = view.getInt16(at + 8 + 2 * n, true) / 32768;
      return { samples, rate };
    }
    at += 8 + size + (size & 1);
  }
  return { samples: new Float32Array(0), rate };
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function wave(canvas, samples, rate) {
  const { width, height } = canvas;
  const paint = canvas.getContext("2d");
  paint.clearRect(0, 0, width, height);
  paint.fillStyle = colour("--line");
  for (let second = 1; second * rate < samples.length; second += 1) {
    paint.fillRect(Math.round((second * rate * width) / samples.length), 0, 1, height);
  }
  paint.fillStyle = colour("--live");
  const step = samples.length / width;
  for (let x = 0; x < width; x += 1) {
    let low = 0;
    let high = 0;
    for (let n = Math.floor(x * step); n < (x + 1) * step && n < samples.length; n += 1) {
      low = Math.min(low, samples[n]);
      high = Math.max(high, samples[n]);
    }
    paint.fillRect(x, ((1 - high) * height) / 2, 1, Math.max(1, ((high - low) * height) / 2));
  }
}

function spectrum(canvas, samples) {
  const { width, height } = canvas;
  const paint = canvas.getContext("2d");
  const picture = paint.createImageData(width, height);
  const [ground, ink] = [rgb(colour("--sunk")), rgb(colour("--ink"))];
  const real = new Float64Array(SIZE);
  const imaginary = new Float64Array(SIZE);
  for (let x = 0; x < width; x += 1) {
    const from = Math.round((x * Math.max(samples.length - SIZE, 0)) / width);
    for (let n = 0; n < SIZE; n += 1) {
      real[n] = (samples[from + n] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / SIZE));
      imaginary[n] = 0;
    }
    transform(real, imaginary);
    for (let y = 0; y < height; y += 1) {
      const bin = Math.floor(((height - 1 - y) * SIZE) / 2 / height);
      const level = 20 * Math.log10(Math.hypot(real[bin], imaginary[bin]) / (SIZE / 4) + 1e-9);
      const part = Math.min(1, Math.max(0, 1 - level / FLOOR));
      const at = 4 * (y * width + x);
      for (let n = 0; n < 3; n += 1) picture.data[at + n] = ground[n] + (ink[n] - ground[n]) * part;
      picture.data[at + 3] = 255;
    }
  }
  paint.putImageData(picture, 0, 0);
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// Cooley and Tukey's, in place.
function transform(real, imaginary) {
  for (let n = 1, other = 0; n < SIZE; n += 1) {
    let bit = SIZE >> 1;
    for (; other & bit; bit >>= 1) other ^= bit;
    other ^= bit;
    if (n < other) {
      [real[n], real[other]] = [real[other], real[n]];
      [imaginary[n], imaginary[other]] = [imaginary[other], imaginary[n]];
    }
  }
  for (let length = 2; length <= SIZE; length <<= 1) {
    for (let start = 0; start < SIZE; start += length) {
      for (let n = 0; n < length / 2; n += 1) {
        const angle = (-2 * Math.PI * n) / length;
        const [a, b] = [start + n, start + n + length / 2];
        const r = real[b] * Math.cos(angle) - imaginary[b] * Math.sin(angle);
        const i = real[b] * Math.sin(angle) + imaginary[b] * Math.cos(angle);
        [real[b], imaginary[b]] = [real[a] - r, imaginary[a] - i];
        [real[a], imaginary[a]] = [real[a] + r, imaginary[a] + i];
      }
    }
  }
}
