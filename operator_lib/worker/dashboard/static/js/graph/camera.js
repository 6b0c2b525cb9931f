// Zoom and pan of a drawing inside an SVG: wheel, pinch, drag, keys.

const LEAST = 0.08, MOST = 4;

export class Camera {
  constructor(svg, inner) {
    this.svg = svg;
    this.inner = inner;
    this.scale = 1;
    this.x = this.y = 0;
    this.touched = false;
    this.size = { width: 1, height: 1 };
    this.pointers = new Map();
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.down(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, (event) => this.up(event));
  }

  show() {
    this.inner.setAttribute("transform", `translate(${this.x.toFixed(2)},${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`);
  }

  // All of it, at its own size where there is room.
  fit() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width || !height) return;
    this.touched = false;
    // What does not fit is shown from the top, as large as can be read.
    const whole = Math.min(1.1, width / this.size.width, height / this.size.height);
    this.scale = whole < 0.55 ? Math.min(0.8, Math.max(0.55, width / this.size.width)) : whole;
    this.x = Math.max((width - this.size.width * this.scale) / 2, whole < 0.55 ? 0 : -1e9);
    this.y = Math.max(0, (height - this.size.height * this.scale) / 2);
    this.show();
  }

  resize(width, height) {
    this.size = { width, height };
  }

  zoom(factor, at) {
    const { width, height } = this.svg.getBoundingClientRect();
    const [cx, cy] = at ?? [width / 2, height / 2];
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.touched = true;
    this.show();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.touched = true;
    this.show();
  }

  // Bring a box into view.
  reveal(box) {
    const { width, height } = this.svg.getBoundingClientRect();
    const left = this.x + box.x * this.scale, top = this.y + box.y * this.scale;
    const inside = left >= 8 && top >= 8 && left + Math.min(box.width * this.scale, width - 16) <= width - 8 && top + Math.min(box.height * this.scale, 60) <= height - 8;
    if (inside) return;
    this.x += width / 2 - (left + (box.width * this.scale) / 2);
    this.y += height / 2 - (top + Math.min((box.height * this.scale) / 2, height / 3));
    this.touched = true;
    this.show();
  }

  point(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  // Pinching, and the wheel with Ctrl, zooms; the wheel alone is the page's.
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), this.point(event));
  }

  down(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, this.point(event));
    this.dragged = 0;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.point(event);
    this.pointers.set(event.pointerId, now);
    this.dragged += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (this.dragged > 4 && !this.svg.hasPointerCapture(event.pointerId)) this.svg.setPointerCapture(event.pointerId);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (others.length) {
      const [x, y] = others[0][1];
      this.zoom(Math.hypot(now[0] - x, now[1] - y) / Math.max(1, Math.hypot(before[0] - x, before[1] - y)), [(now[0] + x) / 2, (now[1] + y) / 2]);
    } else if (this.dragged > 4) this.pan(now[0] - before[0], now[1] - before[1]);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
  }
}
