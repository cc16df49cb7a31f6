const z = globalThis, Z = z.ShadowRoot && (z.ShadyCSS === void 0 || z.ShadyCSS.nativeShadow) && "adoptedStyleSheets" in Document.prototype && "replace" in CSSStyleSheet.prototype, J = /* @__PURE__ */ Symbol(), te = /* @__PURE__ */ new WeakMap();
let ge = class {
  constructor(e, t, s) {
    if (this._$cssResult$ = !0, s !== J) throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");
    this.cssText = e, this.t = t;
  }
  get styleSheet() {
    let e = this.o;
    const t = this.t;
    if (Z && e === void 0) {
      const s = t !== void 0 && t.length === 1;
      s && (e = te.get(t)), e === void 0 && ((this.o = e = new CSSStyleSheet()).replaceSync(this.cssText), s && te.set(t, e));
    }
    return e;
  }
  toString() {
    return this.cssText;
  }
};
const Se = (i) => new ge(typeof i == "string" ? i : i + "", void 0, J), Ce = (i, ...e) => {
  const t = i.length === 1 ? i[0] : e.reduce((s, n, r) => s + ((o) => {
    if (o._$cssResult$ === !0) return o.cssText;
    if (typeof o == "number") return o;
    throw Error("Value passed to 'css' function must be a 'css' function result: " + o + ". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.");
  })(n) + i[r + 1], i[0]);
  return new ge(t, i, J);
}, xe = (i, e) => {
  if (Z) i.adoptedStyleSheets = e.map((t) => t instanceof CSSStyleSheet ? t : t.styleSheet);
  else for (const t of e) {
    const s = document.createElement("style"), n = z.litNonce;
    n !== void 0 && s.setAttribute("nonce", n), s.textContent = t.cssText, i.appendChild(s);
  }
}, se = Z ? (i) => i : (i) => i instanceof CSSStyleSheet ? ((e) => {
  let t = "";
  for (const s of e.cssRules) t += s.cssText;
  return Se(t);
})(i) : i;
const { is: Pe, defineProperty: ke, getOwnPropertyDescriptor: Me, getOwnPropertyNames: je, getOwnPropertySymbols: Oe, getPrototypeOf: Te } = Object, W = globalThis, ne = W.trustedTypes, Ue = ne ? ne.emptyScript : "", Ne = W.reactiveElementPolyfillSupport, j = (i, e) => i, D = { toAttribute(i, e) {
  switch (e) {
    case Boolean:
      i = i ? Ue : null;
      break;
    case Object:
    case Array:
      i = i == null ? i : JSON.stringify(i);
  }
  return i;
}, fromAttribute(i, e) {
  let t = i;
  switch (e) {
    case Boolean:
      t = i !== null;
      break;
    case Number:
      t = i === null ? null : Number(i);
      break;
    case Object:
    case Array:
      try {
        t = JSON.parse(i);
      } catch {
        t = null;
      }
  }
  return t;
} }, K = (i, e) => !Pe(i, e), ie = { attribute: !0, type: String, converter: D, reflect: !1, useDefault: !1, hasChanged: K };
Symbol.metadata ??= /* @__PURE__ */ Symbol("metadata"), W.litPropertyMetadata ??= /* @__PURE__ */ new WeakMap();
let C = class extends HTMLElement {
  static addInitializer(e) {
    this._$Ei(), (this.l ??= []).push(e);
  }
  static get observedAttributes() {
    return this.finalize(), this._$Eh && [...this._$Eh.keys()];
  }
  static createProperty(e, t = ie) {
    if (t.state && (t.attribute = !1), this._$Ei(), this.prototype.hasOwnProperty(e) && ((t = Object.create(t)).wrapped = !0), this.elementProperties.set(e, t), !t.noAccessor) {
      const s = /* @__PURE__ */ Symbol(), n = this.getPropertyDescriptor(e, s, t);
      n !== void 0 && ke(this.prototype, e, n);
    }
  }
  static getPropertyDescriptor(e, t, s) {
    const { get: n, set: r } = Me(this.prototype, e) ?? { get() {
      return this[t];
    }, set(o) {
      this[t] = o;
    } };
    return { get: n, set(o) {
      const c = n?.call(this);
      r?.call(this, o), this.requestUpdate(e, c, s);
    }, configurable: !0, enumerable: !0 };
  }
  static getPropertyOptions(e) {
    return this.elementProperties.get(e) ?? ie;
  }
  static _$Ei() {
    if (this.hasOwnProperty(j("elementProperties"))) return;
    const e = Te(this);
    e.finalize(), e.l !== void 0 && (this.l = [...e.l]), this.elementProperties = new Map(e.elementProperties);
  }
  static finalize() {
    if (this.hasOwnProperty(j("finalized"))) return;
    if (this.finalized = !0, this._$Ei(), this.hasOwnProperty(j("properties"))) {
      const t = this.properties, s = [...je(t), ...Oe(t)];
      for (const n of s) this.createProperty(n, t[n]);
    }
    const e = this[Symbol.metadata];
    if (e !== null) {
      const t = litPropertyMetadata.get(e);
      if (t !== void 0) for (const [s, n] of t) this.elementProperties.set(s, n);
    }
    this._$Eh = /* @__PURE__ */ new Map();
    for (const [t, s] of this.elementProperties) {
      const n = this._$Eu(t, s);
      n !== void 0 && this._$Eh.set(n, t);
    }
    this.elementStyles = this.finalizeStyles(this.styles);
  }
  static finalizeStyles(e) {
    const t = [];
    if (Array.isArray(e)) {
      const s = new Set(e.flat(1 / 0).reverse());
      for (const n of s) t.unshift(se(n));
    } else e !== void 0 && t.push(se(e));
    return t;
  }
  static _$Eu(e, t) {
    const s = t.attribute;
    return s === !1 ? void 0 : typeof s == "string" ? s : typeof e == "string" ? e.toLowerCase() : void 0;
  }
  constructor() {
    super(), this._$Ep = void 0, this.isUpdatePending = !1, this.hasUpdated = !1, this._$Em = null, this._$Ev();
  }
  _$Ev() {
    this._$ES = new Promise((e) => this.enableUpdating = e), this._$AL = /* @__PURE__ */ new Map(), this._$E_(), this.requestUpdate(), this.constructor.l?.forEach((e) => e(this));
  }
  addController(e) {
    (this._$EO ??= /* @__PURE__ */ new Set()).add(e), this.renderRoot !== void 0 && this.isConnected && e.hostConnected?.();
  }
  removeController(e) {
    this._$EO?.delete(e);
  }
  _$E_() {
    const e = /* @__PURE__ */ new Map(), t = this.constructor.elementProperties;
    for (const s of t.keys()) this.hasOwnProperty(s) && (e.set(s, this[s]), delete this[s]);
    e.size > 0 && (this._$Ep = e);
  }
  createRenderRoot() {
    const e = this.shadowRoot ?? this.attachShadow(this.constructor.shadowRootOptions);
    return xe(e, this.constructor.elementStyles), e;
  }
  connectedCallback() {
    this.renderRoot ??= this.createRenderRoot(), this.enableUpdating(!0), this._$EO?.forEach((e) => e.hostConnected?.());
  }
  enableUpdating(e) {
  }
  disconnectedCallback() {
    this._$EO?.forEach((e) => e.hostDisconnected?.());
  }
  attributeChangedCallback(e, t, s) {
    this._$AK(e, s);
  }
  _$ET(e, t) {
    const s = this.constructor.elementProperties.get(e), n = this.constructor._$Eu(e, s);
    if (n !== void 0 && s.reflect === !0) {
      const r = (s.converter?.toAttribute !== void 0 ? s.converter : D).toAttribute(t, s.type);
      this._$Em = e, r == null ? this.removeAttribute(n) : this.setAttribute(n, r), this._$Em = null;
    }
  }
  _$AK(e, t) {
    const s = this.constructor, n = s._$Eh.get(e);
    if (n !== void 0 && this._$Em !== n) {
      const r = s.getPropertyOptions(n), o = typeof r.converter == "function" ? { fromAttribute: r.converter } : r.converter?.fromAttribute !== void 0 ? r.converter : D;
      this._$Em = n;
      const c = o.fromAttribute(t, r.type);
      this[n] = c ?? this._$Ej?.get(n) ?? c, this._$Em = null;
    }
  }
  requestUpdate(e, t, s, n = !1, r) {
    if (e !== void 0) {
      const o = this.constructor;
      if (n === !1 && (r = this[e]), s ??= o.getPropertyOptions(e), !((s.hasChanged ?? K)(r, t) || s.useDefault && s.reflect && r === this._$Ej?.get(e) && !this.hasAttribute(o._$Eu(e, s)))) return;
      this.C(e, t, s);
    }
    this.isUpdatePending === !1 && (this._$ES = this._$EP());
  }
  C(e, t, { useDefault: s, reflect: n, wrapped: r }, o) {
    s && !(this._$Ej ??= /* @__PURE__ */ new Map()).has(e) && (this._$Ej.set(e, o ?? t ?? this[e]), r !== !0 || o !== void 0) || (this._$AL.has(e) || (this.hasUpdated || s || (t = void 0), this._$AL.set(e, t)), n === !0 && this._$Em !== e && (this._$Eq ??= /* @__PURE__ */ new Set()).add(e));
  }
  async _$EP() {
    this.isUpdatePending = !0;
    try {
      await this._$ES;
    } catch (t) {
      Promise.reject(t);
    }
    const e = this.scheduleUpdate();
    return e != null && await e, !this.isUpdatePending;
  }
  scheduleUpdate() {
    return this.performUpdate();
  }
  performUpdate() {
    if (!this.isUpdatePending) return;
    if (!this.hasUpdated) {
      if (this.renderRoot ??= this.createRenderRoot(), this._$Ep) {
        for (const [n, r] of this._$Ep) this[n] = r;
        this._$Ep = void 0;
      }
      const s = this.constructor.elementProperties;
      if (s.size > 0) for (const [n, r] of s) {
        const { wrapped: o } = r, c = this[n];
        o !== !0 || this._$AL.has(n) || c === void 0 || this.C(n, void 0, r, c);
      }
    }
    let e = !1;
    const t = this._$AL;
    try {
      e = this.shouldUpdate(t), e ? (this.willUpdate(t), this._$EO?.forEach((s) => s.hostUpdate?.()), this.update(t)) : this._$EM();
    } catch (s) {
      throw e = !1, this._$EM(), s;
    }
    e && this._$AE(t);
  }
  willUpdate(e) {
  }
  _$AE(e) {
    this._$EO?.forEach((t) => t.hostUpdated?.()), this.hasUpdated || (this.hasUpdated = !0, this.firstUpdated(e)), this.updated(e);
  }
  _$EM() {
    this._$AL = /* @__PURE__ */ new Map(), this.isUpdatePending = !1;
  }
  get updateComplete() {
    return this.getUpdateComplete();
  }
  getUpdateComplete() {
    return this._$ES;
  }
  shouldUpdate(e) {
    return !0;
  }
  update(e) {
    this._$Eq &&= this._$Eq.forEach((t) => this._$ET(t, this[t])), this._$EM();
  }
  updated(e) {
  }
  firstUpdated(e) {
  }
};
C.elementStyles = [], C.shadowRootOptions = { mode: "open" }, C[j("elementProperties")] = /* @__PURE__ */ new Map(), C[j("finalized")] = /* @__PURE__ */ new Map(), Ne?.({ ReactiveElement: C }), (W.reactiveElementVersions ??= []).push("2.1.2");
const Q = globalThis, re = (i) => i, R = Q.trustedTypes, oe = R ? R.createPolicy("lit-html", { createHTML: (i) => i }) : void 0, _e = "$lit$", v = `lit$${Math.random().toFixed(9).slice(2)}$`, $e = "?" + v, He = `<${$e}>`, S = document, O = () => S.createComment(""), T = (i) => i === null || typeof i != "object" && typeof i != "function", Y = Array.isArray, Le = (i) => Y(i) || typeof i?.[Symbol.iterator] == "function", V = `[ 	
\f\r]`, k = /<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g, ae = /-->/g, ce = />/g, w = RegExp(`>|${V}(?:([^\\s"'>=/]+)(${V}*=${V}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`, "g"), le = /'/g, he = /"/g, ye = /^(?:script|style|textarea|title)$/i, ze = (i) => (e, ...t) => ({ _$litType$: i, strings: e, values: t }), l = ze(1), x = /* @__PURE__ */ Symbol.for("lit-noChange"), h = /* @__PURE__ */ Symbol.for("lit-nothing"), de = /* @__PURE__ */ new WeakMap(), A = S.createTreeWalker(S, 129);
function ve(i, e) {
  if (!Y(i) || !i.hasOwnProperty("raw")) throw Error("invalid template strings array");
  return oe !== void 0 ? oe.createHTML(e) : e;
}
const De = (i, e) => {
  const t = i.length - 1, s = [];
  let n, r = e === 2 ? "<svg>" : e === 3 ? "<math>" : "", o = k;
  for (let c = 0; c < t; c++) {
    const a = i[c];
    let u, p, d = -1, f = 0;
    for (; f < a.length && (o.lastIndex = f, p = o.exec(a), p !== null); ) f = o.lastIndex, o === k ? p[1] === "!--" ? o = ae : p[1] !== void 0 ? o = ce : p[2] !== void 0 ? (ye.test(p[2]) && (n = RegExp("</" + p[2], "g")), o = w) : p[3] !== void 0 && (o = w) : o === w ? p[0] === ">" ? (o = n ?? k, d = -1) : p[1] === void 0 ? d = -2 : (d = o.lastIndex - p[2].length, u = p[1], o = p[3] === void 0 ? w : p[3] === '"' ? he : le) : o === he || o === le ? o = w : o === ae || o === ce ? o = k : (o = w, n = void 0);
    const y = o === w && i[c + 1].startsWith("/>") ? " " : "";
    r += o === k ? a + He : d >= 0 ? (s.push(u), a.slice(0, d) + _e + a.slice(d) + v + y) : a + v + (d === -2 ? c : y);
  }
  return [ve(i, r + (i[t] || "<?>") + (e === 2 ? "</svg>" : e === 3 ? "</math>" : "")), s];
};
class U {
  constructor({ strings: e, _$litType$: t }, s) {
    let n;
    this.parts = [];
    let r = 0, o = 0;
    const c = e.length - 1, a = this.parts, [u, p] = De(e, t);
    if (this.el = U.createElement(u, s), A.currentNode = this.el.content, t === 2 || t === 3) {
      const d = this.el.content.firstChild;
      d.replaceWith(...d.childNodes);
    }
    for (; (n = A.nextNode()) !== null && a.length < c; ) {
      if (n.nodeType === 1) {
        if (n.hasAttributes()) for (const d of n.getAttributeNames()) if (d.endsWith(_e)) {
          const f = p[o++], y = n.getAttribute(d).split(v), L = /([.?@])?(.*)/.exec(f);
          a.push({ type: 1, index: r, name: L[2], strings: y, ctor: L[1] === "." ? Ie : L[1] === "?" ? qe : L[1] === "@" ? We : B }), n.removeAttribute(d);
        } else d.startsWith(v) && (a.push({ type: 6, index: r }), n.removeAttribute(d));
        if (ye.test(n.tagName)) {
          const d = n.textContent.split(v), f = d.length - 1;
          if (f > 0) {
            n.textContent = R ? R.emptyScript : "";
            for (let y = 0; y < f; y++) n.append(d[y], O()), A.nextNode(), a.push({ type: 2, index: ++r });
            n.append(d[f], O());
          }
        }
      } else if (n.nodeType === 8) if (n.data === $e) a.push({ type: 2, index: r });
      else {
        let d = -1;
        for (; (d = n.data.indexOf(v, d + 1)) !== -1; ) a.push({ type: 7, index: r }), d += v.length - 1;
      }
      r++;
    }
  }
  static createElement(e, t) {
    const s = S.createElement("template");
    return s.innerHTML = e, s;
  }
}
function P(i, e, t = i, s) {
  if (e === x) return e;
  let n = s !== void 0 ? t._$Co?.[s] : t._$Cl;
  const r = T(e) ? void 0 : e._$litDirective$;
  return n?.constructor !== r && (n?._$AO?.(!1), r === void 0 ? n = void 0 : (n = new r(i), n._$AT(i, t, s)), s !== void 0 ? (t._$Co ??= [])[s] = n : t._$Cl = n), n !== void 0 && (e = P(i, n._$AS(i, e.values), n, s)), e;
}
class Re {
  constructor(e, t) {
    this._$AV = [], this._$AN = void 0, this._$AD = e, this._$AM = t;
  }
  get parentNode() {
    return this._$AM.parentNode;
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  u(e) {
    const { el: { content: t }, parts: s } = this._$AD, n = (e?.creationScope ?? S).importNode(t, !0);
    A.currentNode = n;
    let r = A.nextNode(), o = 0, c = 0, a = s[0];
    for (; a !== void 0; ) {
      if (o === a.index) {
        let u;
        a.type === 2 ? u = new N(r, r.nextSibling, this, e) : a.type === 1 ? u = new a.ctor(r, a.name, a.strings, this, e) : a.type === 6 && (u = new Be(r, this, e)), this._$AV.push(u), a = s[++c];
      }
      o !== a?.index && (r = A.nextNode(), o++);
    }
    return A.currentNode = S, n;
  }
  p(e) {
    let t = 0;
    for (const s of this._$AV) s !== void 0 && (s.strings !== void 0 ? (s._$AI(e, s, t), t += s.strings.length - 2) : s._$AI(e[t])), t++;
  }
}
class N {
  get _$AU() {
    return this._$AM?._$AU ?? this._$Cv;
  }
  constructor(e, t, s, n) {
    this.type = 2, this._$AH = h, this._$AN = void 0, this._$AA = e, this._$AB = t, this._$AM = s, this.options = n, this._$Cv = n?.isConnected ?? !0;
  }
  get parentNode() {
    let e = this._$AA.parentNode;
    const t = this._$AM;
    return t !== void 0 && e?.nodeType === 11 && (e = t.parentNode), e;
  }
  get startNode() {
    return this._$AA;
  }
  get endNode() {
    return this._$AB;
  }
  _$AI(e, t = this) {
    e = P(this, e, t), T(e) ? e === h || e == null || e === "" ? (this._$AH !== h && this._$AR(), this._$AH = h) : e !== this._$AH && e !== x && this._(e) : e._$litType$ !== void 0 ? this.$(e) : e.nodeType !== void 0 ? this.T(e) : Le(e) ? this.k(e) : this._(e);
  }
  O(e) {
    return this._$AA.parentNode.insertBefore(e, this._$AB);
  }
  T(e) {
    this._$AH !== e && (this._$AR(), this._$AH = this.O(e));
  }
  _(e) {
    this._$AH !== h && T(this._$AH) ? this._$AA.nextSibling.data = e : this.T(S.createTextNode(e)), this._$AH = e;
  }
  $(e) {
    const { values: t, _$litType$: s } = e, n = typeof s == "number" ? this._$AC(e) : (s.el === void 0 && (s.el = U.createElement(ve(s.h, s.h[0]), this.options)), s);
    if (this._$AH?._$AD === n) this._$AH.p(t);
    else {
      const r = new Re(n, this), o = r.u(this.options);
      r.p(t), this.T(o), this._$AH = r;
    }
  }
  _$AC(e) {
    let t = de.get(e.strings);
    return t === void 0 && de.set(e.strings, t = new U(e)), t;
  }
  k(e) {
    Y(this._$AH) || (this._$AH = [], this._$AR());
    const t = this._$AH;
    let s, n = 0;
    for (const r of e) n === t.length ? t.push(s = new N(this.O(O()), this.O(O()), this, this.options)) : s = t[n], s._$AI(r), n++;
    n < t.length && (this._$AR(s && s._$AB.nextSibling, n), t.length = n);
  }
  _$AR(e = this._$AA.nextSibling, t) {
    for (this._$AP?.(!1, !0, t); e !== this._$AB; ) {
      const s = re(e).nextSibling;
      re(e).remove(), e = s;
    }
  }
  setConnected(e) {
    this._$AM === void 0 && (this._$Cv = e, this._$AP?.(e));
  }
}
class B {
  get tagName() {
    return this.element.tagName;
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  constructor(e, t, s, n, r) {
    this.type = 1, this._$AH = h, this._$AN = void 0, this.element = e, this.name = t, this._$AM = n, this.options = r, s.length > 2 || s[0] !== "" || s[1] !== "" ? (this._$AH = Array(s.length - 1).fill(new String()), this.strings = s) : this._$AH = h;
  }
  _$AI(e, t = this, s, n) {
    const r = this.strings;
    let o = !1;
    if (r === void 0) e = P(this, e, t, 0), o = !T(e) || e !== this._$AH && e !== x, o && (this._$AH = e);
    else {
      const c = e;
      let a, u;
      for (e = r[0], a = 0; a < r.length - 1; a++) u = P(this, c[s + a], t, a), u === x && (u = this._$AH[a]), o ||= !T(u) || u !== this._$AH[a], u === h ? e = h : e !== h && (e += (u ?? "") + r[a + 1]), this._$AH[a] = u;
    }
    o && !n && this.j(e);
  }
  j(e) {
    e === h ? this.element.removeAttribute(this.name) : this.element.setAttribute(this.name, e ?? "");
  }
}
class Ie extends B {
  constructor() {
    super(...arguments), this.type = 3;
  }
  j(e) {
    this.element[this.name] = e === h ? void 0 : e;
  }
}
class qe extends B {
  constructor() {
    super(...arguments), this.type = 4;
  }
  j(e) {
    this.element.toggleAttribute(this.name, !!e && e !== h);
  }
}
class We extends B {
  constructor(e, t, s, n, r) {
    super(e, t, s, n, r), this.type = 5;
  }
  _$AI(e, t = this) {
    if ((e = P(this, e, t, 0) ?? h) === x) return;
    const s = this._$AH, n = e === h && s !== h || e.capture !== s.capture || e.once !== s.once || e.passive !== s.passive, r = e !== h && (s === h || n);
    n && this.element.removeEventListener(this.name, this, s), r && this.element.addEventListener(this.name, this, e), this._$AH = e;
  }
  handleEvent(e) {
    typeof this._$AH == "function" ? this._$AH.call(this.options?.host ?? this.element, e) : this._$AH.handleEvent(e);
  }
}
class Be {
  constructor(e, t, s) {
    this.element = e, this.type = 6, this._$AN = void 0, this._$AM = t, this.options = s;
  }
  get _$AU() {
    return this._$AM._$AU;
  }
  _$AI(e) {
    P(this, e);
  }
}
const Ve = Q.litHtmlPolyfillSupport;
Ve?.(U, N), (Q.litHtmlVersions ??= []).push("3.3.3");
const Fe = (i, e, t) => {
  const s = t?.renderBefore ?? e;
  let n = s._$litPart$;
  if (n === void 0) {
    const r = t?.renderBefore ?? null;
    s._$litPart$ = n = new N(e.insertBefore(O(), r), r, void 0, t ?? {});
  }
  return n._$AI(i), n;
};
const X = globalThis;
class E extends C {
  constructor() {
    super(...arguments), this.renderOptions = { host: this }, this._$Do = void 0;
  }
  createRenderRoot() {
    const e = super.createRenderRoot();
    return this.renderOptions.renderBefore ??= e.firstChild, e;
  }
  update(e) {
    const t = this.render();
    this.hasUpdated || (this.renderOptions.isConnected = this.isConnected), super.update(e), this._$Do = Fe(t, this.renderRoot, this.renderOptions);
  }
  connectedCallback() {
    super.connectedCallback(), this._$Do?.setConnected(!0);
  }
  disconnectedCallback() {
    super.disconnectedCallback(), this._$Do?.setConnected(!1);
  }
  render() {
    return x;
  }
}
E._$litElement$ = !0, E.finalized = !0, X.litElementHydrateSupport?.({ LitElement: E });
const Ge = X.litElementPolyfillSupport;
Ge?.({ LitElement: E });
(X.litElementVersions ??= []).push("4.2.2");
const Ze = { attribute: !0, type: String, converter: D, reflect: !1, hasChanged: K }, Je = (i = Ze, e, t) => {
  const { kind: s, metadata: n } = t;
  let r = globalThis.litPropertyMetadata.get(n);
  if (r === void 0 && globalThis.litPropertyMetadata.set(n, r = /* @__PURE__ */ new Map()), s === "setter" && ((i = Object.create(i)).wrapped = !0), r.set(t.name, i), s === "accessor") {
    const { name: o } = t;
    return { set(c) {
      const a = e.get.call(this);
      e.set.call(this, c), this.requestUpdate(o, a, i, !0, c);
    }, init(c) {
      return c !== void 0 && this.C(o, void 0, i, c), c;
    } };
  }
  if (s === "setter") {
    const { name: o } = t;
    return function(c) {
      const a = this[o];
      e.call(this, c), this.requestUpdate(o, a, i, !0, c);
    };
  }
  throw Error("Unsupported decorator location: " + s);
};
function b(i) {
  return (e, t) => typeof t == "object" ? Je(i, e, t) : ((s, n, r) => {
    const o = n.hasOwnProperty(r);
    return n.constructor.createProperty(r, s), o ? Object.getOwnPropertyDescriptor(n, r) : void 0;
  })(i, e, t);
}
function _(i) {
  return b({ ...i, state: !0, attribute: !1 });
}
var Ke = Object.defineProperty, ue = (i, e, t, s) => {
  for (var n = void 0, r = i.length - 1, o; r >= 0; r--)
    (o = i[r]) && (n = o(e, t, n) || n);
  return n && Ke(e, t, n), n;
};
function pe(i, e) {
  class t extends E {
    constructor() {
      super(...arguments), this.config = {};
    }
    setConfig(n) {
      this.config = n;
    }
    render() {
      const n = this.hass;
      if (!n) return h;
      const r = e(n.language);
      return l`<ha-form
        .hass=${n}
        .data=${this.config}
        .schema=${i}
        .computeLabel=${(o) => r[o.name] ?? o.name}
        @value-changed=${(o) => this.changed(o)}
      ></ha-form>`;
    }
    changed(n) {
      n.stopPropagation();
      const r = Object.entries(n.detail.value).filter(([, o]) => o !== "" && o !== void 0);
      this.dispatchEvent(
        new CustomEvent("config-changed", {
          detail: { config: Object.fromEntries(r) },
          bubbles: !0,
          composed: !0
        })
      );
    }
  }
  return ue([
    b({ attribute: !1 })
  ], t.prototype, "hass"), ue([
    _()
  ], t.prototype, "config"), t;
}
const Qe = { unknown: "Unbekannt", nobody: "Niemand kam.", failed: "Die Besuche können nicht gezeigt werden: {reason}", loading: "Lädt…", still_here: "noch da", who: "Wer ist das?", name: "Name", save: "Speichern", here: "Jetzt da", last_seen: "Zuletzt gesehen: {camera}, {time}", never: "Noch nicht gesehen", away: "MarengoCam ist weg", today: "Heute", picture_of: "Bild von {who}", choose_person: "Wähle in den Einstellungen der Karte eine Person von MarengoCam.", title: "Titel", limit: "Höchstens so viele Besuche", entity: "Person", only: "Nur diese Person", journeys: "MarengoCam: Wege", journeys_about: "Wer kam, wann und auf welchem Weg; Fremde lassen sich benennen.", person: "MarengoCam: Person", person_about: "Ob jemand da ist und wo er gesehen wurde." }, Ye = { unknown: "Unknown", nobody: "Nobody came.", failed: "The visits cannot be shown: {reason}", loading: "Loading…", still_here: "still here", who: "Who is this?", name: "Name", save: "Save", here: "Here now", last_seen: "Last seen: {camera}, {time}", never: "Not seen yet", away: "MarengoCam is away", today: "Today", picture_of: "Picture of {who}", choose_person: "Choose a person of MarengoCam in the card's settings.", title: "Title", limit: "At most so many visits", entity: "Person", only: "Only this person", journeys: "MarengoCam: journeys", journeys_about: "Who came, when, and which way; strangers can be named.", person: "MarengoCam: person", person_about: "Whether somebody is here, and where they were seen." }, Xe = { unknown: "Desconocido", nobody: "No vino nadie.", failed: "No se pueden mostrar las visitas: {reason}", loading: "Cargando…", still_here: "sigue aquí", who: "¿Quién es?", name: "Nombre", save: "Guardar", here: "Aquí ahora", last_seen: "Visto por última vez: {camera}, {time}", never: "Aún no visto", away: "MarengoCam no responde", today: "Hoy", picture_of: "Imagen de {who}", choose_person: "Elige una persona de MarengoCam en los ajustes de la tarjeta.", title: "Título", limit: "Visitas como máximo", entity: "Persona", only: "Solo esta persona", journeys: "MarengoCam: recorridos", journeys_about: "Quién vino, cuándo y por dónde; los desconocidos se pueden nombrar.", person: "MarengoCam: persona", person_about: "Si alguien está aquí y dónde se le vio." }, et = { unknown: "Inconnu", nobody: "Personne n'est venu.", failed: "Impossible de montrer les visites : {reason}", loading: "Chargement…", still_here: "encore là", who: "Qui est-ce ?", name: "Nom", save: "Enregistrer", here: "Présent", last_seen: "Vu la dernière fois : {camera}, {time}", never: "Pas encore vu", away: "MarengoCam est absent", today: "Aujourd'hui", picture_of: "Image de {who}", choose_person: "Choisissez une personne de MarengoCam dans les réglages de la carte.", title: "Titre", limit: "Nombre de visites au plus", entity: "Personne", only: "Seulement cette personne", journeys: "MarengoCam : trajets", journeys_about: "Qui est venu, quand et par où ; les inconnus peuvent être nommés.", person: "MarengoCam : personne", person_about: "Si quelqu'un est là, et où il a été vu." }, tt = { unknown: "Onbekend", nobody: "Er kwam niemand.", failed: "De bezoeken kunnen niet worden getoond: {reason}", loading: "Laden…", still_here: "nog hier", who: "Wie is dit?", name: "Naam", save: "Opslaan", here: "Nu hier", last_seen: "Laatst gezien: {camera}, {time}", never: "Nog niet gezien", away: "MarengoCam is weg", today: "Vandaag", picture_of: "Foto van {who}", choose_person: "Kies een persoon van MarengoCam in de instellingen van de kaart.", title: "Titel", limit: "Hoogstens zoveel bezoeken", entity: "Persoon", only: "Alleen deze persoon", journeys: "MarengoCam: routes", journeys_about: "Wie kwam, wanneer en langs welke weg; vreemden kun je benoemen.", person: "MarengoCam: persoon", person_about: "Of iemand er is, en waar hij gezien werd." }, st = /* @__PURE__ */ Object.assign({ "../../translations/de.json": Qe, "../../translations/en.json": Ye, "../../translations/es.json": Xe, "../../translations/fr.json": et, "../../translations/nl.json": tt });
function me(i) {
  return st[`../../translations/${i}.json`];
}
function g(i) {
  return me((i ?? "en").split("-")[0]) ?? me("en");
}
function I(i, e) {
  return i.replace(/\{(\w+)\}/g, (t, s) => e[s] ?? "");
}
function nt(i) {
  return Object.values(i.entities).filter((e) => e?.platform === "marengocam" && e.entity_id.startsWith("event.")).map((e) => i.states[e.entity_id]?.state ?? "").join();
}
function M(i, e, t, s) {
  const n = Object.values(i.entities).find(
    (r) => r?.device_id === e && r.translation_key === s && r.entity_id.startsWith(`${t}.`)
  );
  return n && i.states[n.entity_id];
}
const be = Ce`
  ha-card { padding: 12px 16px; }
  h2 { font-size: 1.2em; font-weight: 500; margin: 0 0 8px; color: var(--primary-text-color); }
  ul { list-style: none; margin: 0; padding: 0; }
  li { display: flex; gap: 12px; padding: 8px 0; border-top: 1px solid var(--divider-color); }
  li:first-child { border-top: none; }
  .picture { width: 56px; height: 72px; flex: none; border-radius: 8px; object-fit: cover; object-position: top;
    background: var(--secondary-background-color); }
  .portrait { width: 96px; height: 120px; }
  .words { min-width: 0; flex: 1; color: var(--primary-text-color); }
  .who { font-weight: 500; }
  .when, .quiet { color: var(--secondary-text-color); font-size: 0.9em; }
  .stranger .who { color: var(--warning-color, #b26a00); }
  ol { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; margin: 4px 0 0; padding: 0; font-size: 0.9em; }
  ol li { display: inline; padding: 0; border: none; }
  ol li + li::before { content: "→ "; color: var(--secondary-text-color); }
  form { display: flex; gap: 6px; margin-top: 6px; }
  input { flex: 1; min-width: 0; padding: 6px 8px; border-radius: 6px; border: 1px solid var(--divider-color);
    background: var(--card-background-color); color: var(--primary-text-color); font: inherit; }
  button { padding: 6px 10px; border-radius: 6px; border: none; cursor: pointer; font: inherit;
    background: var(--primary-color); color: var(--text-primary-color, #fff); }
  button:disabled { opacity: 0.5; cursor: default; }
  .ask { background: none; color: var(--primary-color); padding: 4px 0; }
  .error { color: var(--error-color); }
  .here { color: var(--success-color, #1b7e3c); font-weight: 500; }
  .person { display: flex; gap: 16px; align-items: flex-start; }
`;
async function it(i, e) {
  const t = { limit: e.limit };
  return e.person && (t.person = e.person), e.from && (t.from = e.from.toISOString()), e.config_entry_id && (t.config_entry_id = e.config_entry_id), (await i.callWS({
    type: "call_service",
    domain: "marengocam",
    service: "search",
    service_data: t,
    return_response: !0
  })).response.visits;
}
async function rt(i, e, t, s) {
  const n = { identity_id: e.identity_id, name: t };
  s && (n.config_entry_id = s), await i.callService("marengocam", "name_person", n);
}
const fe = 3600;
class ot {
  constructor() {
    this.known = /* @__PURE__ */ new Map();
  }
  async address(e, t) {
    const s = Date.now() / 1e3, n = this.known.get(t);
    if (n && n.until > s) return n.address;
    const { path: r } = await e.callWS({
      type: "auth/sign_path",
      path: t,
      expires: fe
    });
    return this.known.set(t, { address: r, until: s + fe / 2 }), r;
  }
}
function at(i) {
  const e = [];
  for (const t of i.path) {
    const s = e.at(-1);
    s && s.camera_id === t.camera_id ? e[e.length - 1] = { ...s, to: t.to } : e.push(t);
  }
  return e;
}
var ct = Object.defineProperty, ee = (i, e, t, s) => {
  for (var n = void 0, r = i.length - 1, o; r >= 0; r--)
    (o = i[r]) && (n = o(e, t, n) || n);
  return n && ct(e, t, n), n;
};
const lt = 1500;
class H extends E {
  constructor() {
    super(...arguments), this.reason = "";
  }
  static {
    this.styles = be;
  }
  disconnectedCallback() {
    super.disconnectedCallback(), window.clearTimeout(this.timer), this.timer = this.seen = void 0;
  }
  updated(e) {
    if (!this.hass || !e.has("hass")) return;
    const t = nt(this.hass);
    if (t === this.seen) return;
    const s = this.seen === void 0;
    this.seen = t, s ? this.refresh() : this.timer ??= window.setTimeout(() => {
      this.refresh();
    }, lt);
  }
  async refresh() {
    window.clearTimeout(this.timer), this.timer = void 0;
    const e = this.wanted();
    if (!(!this.hass || !e))
      try {
        this.visits = await it(this.hass, e), this.reason = "";
      } catch (t) {
        this.reason = t.message;
      }
  }
  /** Return what stands in the place of visits that are not there. */
  instead(e) {
    const t = g(e.language);
    return this.reason ? l`<p class="error" role="alert">${I(t.failed, { reason: this.reason })}</p>` : l`<p class="quiet">${t.loading}</p>`;
  }
}
ee([
  b({ attribute: !1 })
], H.prototype, "hass");
ee([
  _()
], H.prototype, "visits");
ee([
  _()
], H.prototype, "reason");
var ht = Object.defineProperty, dt = (i, e, t, s) => {
  for (var n = void 0, r = i.length - 1, o; r >= 0; r--)
    (o = i[r]) && (n = o(e, t, n) || n);
  return n && ht(e, t, n), n;
};
const F = 8, G = 50;
class we extends H {
  constructor() {
    super(...arguments), this.config = { type: "" };
  }
  static getConfigElement() {
    return document.createElement("marengocam-journeys-card-editor");
  }
  static getStubConfig() {
    return { limit: F };
  }
  setConfig(e) {
    const t = e.limit ?? F;
    if (!Number.isInteger(t) || t < 1 || t > G)
      throw new Error(`limit must be a whole number from 1 to ${G}.`);
    this.config = e, this.refresh();
  }
  getCardSize() {
    return 1 + 2 * (this.visits?.length ?? 2);
  }
  getGridOptions() {
    return { columns: 12, min_columns: 6 };
  }
  wanted() {
    const { limit: e, person: t, config_entry_id: s } = this.config;
    return {
      limit: e ?? F,
      ...t ? { person: t } : {},
      ...s ? { config_entry_id: s } : {}
    };
  }
  render() {
    const e = this.hass;
    if (!e) return h;
    const t = [...new Set((this.visits ?? []).flatMap((s) => s.person ? [s.person] : []))];
    return l`
      <ha-card>
        ${this.config.title ? l`<h2>${this.config.title}</h2>` : h}
        ${this.visits && !this.reason ? l`<marengocam-visit-list
              .hass=${e}
              .visits=${this.visits}
              .persons=${t}
              .configEntryId=${this.config.config_entry_id}
              @named=${() => this.refresh()}
            ></marengocam-visit-list>` : this.instead(e)}
      </ha-card>
    `;
  }
}
dt([
  _()
], we.prototype, "config");
const ut = [
  { name: "title", selector: { text: {} } },
  { name: "person", selector: { text: {} } },
  { name: "limit", selector: { number: { min: 1, max: G, mode: "box" } } }
], pt = (i) => {
  const e = g(i);
  return { title: e.title, person: e.only, limit: e.limit };
};
function mt(i) {
  const e = i.locale?.time_format === "12", t = i.config?.time_zone;
  return { hour: "2-digit", minute: "2-digit", hour12: e, ...t ? { timeZone: t } : {} };
}
function q(i, e) {
  return new Date(e).toLocaleTimeString(i.language, mt(i));
}
function Ae(i, e, t = /* @__PURE__ */ new Date()) {
  const s = i.config?.time_zone, n = (c) => c.toLocaleDateString("en-CA", s ? { timeZone: s } : {}), r = new Date(e);
  return n(r) === n(t) ? q(i, e) : `${r.toLocaleDateString(i.language, {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...s ? { timeZone: s } : {}
  })}, ${q(i, e)}`;
}
function ft(i = /* @__PURE__ */ new Date()) {
  return new Date(i.getFullYear(), i.getMonth(), i.getDate());
}
var gt = Object.defineProperty, _t = (i, e, t, s) => {
  for (var n = void 0, r = i.length - 1, o; r >= 0; r--)
    (o = i[r]) && (n = o(e, t, n) || n);
  return n && gt(e, t, n), n;
};
const $t = 5;
class Ee extends H {
  constructor() {
    super(...arguments), this.config = { type: "", entity: "" };
  }
  static getConfigElement() {
    return document.createElement("marengocam-person-card-editor");
  }
  static getStubConfig(e) {
    return { entity: Object.values(e.entities).find(
      (s) => s?.platform === "marengocam" && s.translation_key === "presence_events"
    )?.entity_id ?? "" };
  }
  setConfig(e) {
    if (typeof e.entity != "string") throw new Error("entity must be an entity of a person of MarengoCam.");
    this.config = e, this.visits = void 0, this.refresh();
  }
  getCardSize() {
    return 3 + 2 * (this.visits?.length ?? 0);
  }
  getGridOptions() {
    return { columns: 12, min_columns: 6 };
  }
  get deviceId() {
    const e = this.hass?.entities[this.config.entity];
    return e?.platform === "marengocam" ? e.device_id : void 0;
  }
  get person() {
    const e = this.deviceId && this.hass?.devices[this.deviceId];
    return e ? e.name ?? void 0 : void 0;
  }
  wanted() {
    const e = this.person;
    return e ? { person: e, limit: this.config.limit ?? $t, from: ft() } : void 0;
  }
  render() {
    const e = this.hass;
    if (!e) return h;
    const t = g(e.language), s = this.deviceId;
    if (!s || !M(e, s, "binary_sensor", "present"))
      return l`<ha-card><p class="quiet">${t.choose_person}</p></ha-card>`;
    const n = e.devices[s], r = n?.name_by_user ?? n?.name ?? t.unknown, o = M(e, s, "image", "picture")?.attributes.entity_picture;
    return l`
      <ha-card>
        <div class="person">
          ${typeof o == "string" ? l`<img class="picture portrait" src=${o} alt=${I(t.picture_of, { who: r })} />` : l`<div class="picture portrait"></div>`}
          <div class="words">
            <h2>${r}</h2>
            ${this.whereabouts(e, s)}
            <div class="quiet">${t.today}</div>
          </div>
        </div>
        ${this.visits && !this.reason ? l`<marengocam-visit-list nameless .hass=${e} .visits=${this.visits}></marengocam-visit-list>` : this.instead(e)}
      </ha-card>
    `;
  }
  whereabouts(e, t) {
    const s = g(e.language);
    if (M(e, t, "binary_sensor", "present")?.state === "on")
      return l`<p class="here">${s.here}: ${M(e, t, "sensor", "last_seen")?.state}</p>`;
    const n = M(e, t, "sensor", "last_seen"), r = n?.attributes.when;
    return n?.state === "unavailable" ? l`<p class="quiet">${s.away}</p>` : !n || typeof r != "string" ? l`<p class="quiet">${s.never}</p>` : l`<p>${I(s.last_seen, { camera: n.state, time: Ae(e, r) })}</p>`;
  }
}
_t([
  _()
], Ee.prototype, "config");
const yt = [
  { name: "entity", required: !0, selector: { entity: { filter: { integration: "marengocam", domain: "event" } } } },
  { name: "limit", selector: { number: { min: 1, max: 50, mode: "box" } } }
], vt = (i) => {
  const e = g(i);
  return { entity: e.entity, limit: e.limit };
};
function bt(i, e) {
  const t = i.entities[e];
  if (t?.platform !== "marengocam") return null;
  const s = Object.values(i.entities).find(
    (n) => n?.device_id === t.device_id && n?.translation_key === "presence_events"
  );
  return s ? { config: { type: "custom:marengocam-person-card", entity: s.entity_id } } : null;
}
function wt(i, e) {
  const t = i.entities[e];
  return t?.platform !== "marengocam" || t.translation_key !== "person_events" ? null : { config: { type: "custom:marengocam-journeys-card" } };
}
var At = Object.defineProperty, $ = (i, e, t, s) => {
  for (var n = void 0, r = i.length - 1, o; r >= 0; r--)
    (o = i[r]) && (n = o(e, t, n) || n);
  return n && At(e, t, n), n;
};
const Et = new ot(), St = 45e3;
class m extends E {
  constructor() {
    super(...arguments), this.visits = [], this.persons = [], this.nameless = !1, this.addresses = {}, this.asked = "", this.saving = !1, this.reason = "";
  }
  static {
    this.styles = be;
  }
  willUpdate(e) {
    e.has("visits") && this.fetchPictures();
  }
  async fetchPictures() {
    const e = this.visits.flatMap((n) => n.picture ? [n.picture] : []), s = (await Promise.allSettled(
      e.map(async (n) => [n, await Et.address(this.hass, n)])
    )).flatMap((n) => n.status === "fulfilled" ? [n.value] : []);
    this.addresses = { ...this.addresses, ...Object.fromEntries(s) };
  }
  render() {
    const e = g(this.hass.language);
    return this.visits.length ? l`
      <ul>${this.visits.map((t) => this.visit(t))}</ul>
      <datalist id="known">${this.persons.map((t) => l`<option value=${t}></option>`)}</datalist>
    ` : l`<p class="quiet">${e.nobody}</p>`;
  }
  visit(e) {
    const t = g(this.hass.language), s = e.person ?? t.unknown, n = e.picture ? this.addresses[e.picture] : void 0, r = Date.now() - Date.parse(e.last_seen_at) < St, o = !e.ended && r ? t.still_here : q(this.hass, e.last_seen_at);
    return l`
      <li class=${e.person ? "" : "stranger"}>
        ${n ? l`<img class="picture" loading="lazy" src=${n} alt=${I(t.picture_of, { who: s })} />` : l`<div class="picture"></div>`}
        <div class="words">
          ${this.nameless ? h : l`<div class="who">${s}</div>`}
          <div class="when">${Ae(this.hass, e.first_seen_at)} – ${o}</div>
          <ol>${at(e).map((c) => l`<li title=${q(this.hass, c.from)}>${c.camera}</li>`)}</ol>
          ${e.person ? h : this.naming(e)}
        </div>
      </li>
    `;
  }
  naming(e) {
    const t = g(this.hass.language);
    return this.asked !== e.visit_id ? l`<button class="ask" @click=${() => this.ask(e)}>${t.who}</button>` : l`
      <form @submit=${(s) => this.save(s, e)}>
        <input list="known" name="name" aria-label=${t.name} placeholder=${t.name} maxlength="100" required />
        <button type="submit" ?disabled=${this.saving}>${t.save}</button>
      </form>
      ${this.reason ? l`<p class="error" role="alert">${this.reason}</p>` : h}
    `;
  }
  ask(e) {
    this.asked = e.visit_id, this.reason = "", this.updateComplete.then(() => this.renderRoot.querySelector("input")?.focus());
  }
  async save(e, t) {
    e.preventDefault();
    const s = (this.renderRoot.querySelector("input")?.value ?? "").trim();
    if (s) {
      this.saving = !0;
      try {
        await rt(this.hass, t, s, this.configEntryId), this.asked = this.reason = "", this.visits = this.visits.map((n) => n.identity_id === t.identity_id ? { ...n, person: s } : n), this.dispatchEvent(new CustomEvent("named"));
      } catch (n) {
        this.reason = n.message;
      } finally {
        this.saving = !1;
      }
    }
  }
}
$([
  b({ attribute: !1 })
], m.prototype, "hass");
$([
  b({ attribute: !1 })
], m.prototype, "visits");
$([
  b({ attribute: !1 })
], m.prototype, "persons");
$([
  b({ attribute: !1 })
], m.prototype, "configEntryId");
$([
  b({ type: Boolean })
], m.prototype, "nameless");
$([
  _()
], m.prototype, "addresses");
$([
  _()
], m.prototype, "asked");
$([
  _()
], m.prototype, "saving");
$([
  _()
], m.prototype, "reason");
const Ct = "https://github.com/marengocam/marengocam/blob/main/docs/guide/home-assistant.md", xt = {
  "marengocam-visit-list": m,
  "marengocam-journeys-card": we,
  "marengocam-journeys-card-editor": pe(ut, pt),
  "marengocam-person-card": Ee,
  "marengocam-person-card-editor": pe(yt, vt)
};
function Pt() {
  for (const [t, s] of Object.entries(xt))
    customElements.get(t) || customElements.define(t, s);
  const i = g(document.documentElement.lang || navigator.language), e = [
    {
      type: "marengocam-journeys-card",
      name: i.journeys,
      description: i.journeys_about,
      getEntitySuggestion: wt
    },
    {
      type: "marengocam-person-card",
      name: i.person,
      description: i.person_about,
      getEntitySuggestion: bt
    }
  ];
  window.customCards ??= [];
  for (const t of e)
    window.customCards.some((s) => s.type === t.type) || window.customCards.push({ ...t, preview: !0, documentationURL: Ct });
}
customElements.whenDefined("home-assistant").then(Pt);
export {
  Pt as define
};
