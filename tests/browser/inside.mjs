// Functions that run inside a page. Each must be self-contained, because its source text is sent there.

/** Describes the element that has the focus and whether it is visible; null if no element has it. */
export function focused() {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const box = element.getBoundingClientRect();
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  // A region may be larger than the window: what counts is the part of it in the window.
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const behind = getComputedStyle(document.body).backgroundColor;
  return {
    name: element.id || element.textContent.trim(),
    // Has an outline in a color other than the page's background.
    marked: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && outlineColor !== behind,
    // Is on the screen and not covered.
    seen: right > left && bottom > top && middle !== null && (element.contains(middle) || middle.contains(element)),
  };
}

/** All visible controls that a mouse can operate, and the regions that the keyboard scrolls, in document order. */
export function controls() {
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [onclick], [role=button], [tabindex="0"]');
  const usable = [...all].filter((element) => !element.disabled && element.getClientRects().length > 0);
  return usable.map((element) => element.id || element.textContent.trim());
}

/** Elements that extend beyond the page's right or left edge, and the overflow if the page scrolls sideways. */
export function outside() {
  const { clientWidth, scrollWidth } = document.documentElement;
  const out = [...document.body.querySelectorAll('*')].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    const hidden = element.closest('.skip, thead') !== null;
    return !hidden && width > 0 && (right > clientWidth + 0.5 || left < -0.5);
  });
  const found = out.map((element) => `<${element.localName} class="${element.className.baseVal ?? element.className}">`);
  return scrollWidth > clientWidth ? [`${scrollWidth} of ${clientWidth} pixels`, ...found] : found;
}
