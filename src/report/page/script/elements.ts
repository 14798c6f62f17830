/** The part of the script that creates elements. Strings always become text nodes, never markup. */
export const ELEMENTS: string = `
  const SVG = "http://www.w3.org/2000/svg";

  function byId(id) {
    return document.getElementById(id);
  }

  /** Creates an element. Strings among the children become text nodes. */
  function make(name, attributes, ...children) {
    return filled(document.createElement(name), attributes, children);
  }

  function makeSvg(name, attributes, ...children) {
    return filled(document.createElementNS(SVG, name), attributes, children);
  }

  function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== undefined));
    return element;
  }

  // bdi isolates right-to-left text from its surroundings.
  function keyOf(text) {
    return make("bdi", { class: "key", title: text.length > 40 ? text : undefined }, text);
  }
`;
