// Shows the OpenAPI document beside it. Everything is put in as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** An element with attributes and children; a text becomes a text node. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Text in which `…` is code. */
function prose(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** Follows a reference within the document. */
function resolve(api, thing) {
  if (!thing?.$ref) return thing;
  const path = thing.$ref.slice(2).split("/").map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
  return path.reduce((at, part) => at?.[part], api);
}

/** The last word of a reference. */
const nameOf = (reference) => reference.split("/").pop();

/** What a value of this schema is, in a few words. */
function kind(schema) {
  if (schema === undefined || schema === true) return "anything";
  if (schema.$ref) return nameOf(schema.$ref);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(kind).join(" or ");
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  const types = [schema.type ?? "anything"].flat();
  return types
    .map((type) => {
      if (type === "array") return `array of ${schema.prefixItems ? "pairs" : kind(schema.items)}`;
      if (type === "object" && schema.additionalProperties) return `object of ${kind(schema.additionalProperties)}`;
      return schema.format ? `${type} (${schema.format})` : type;
    })
    .join(" or ");
}

/** The limits that a schema names. */
function bounds(schema) {
  const words = {
    minimum: "at least", maximum: "at most", minLength: "characters, at least", maxLength: "characters, at most",
    minItems: "entries, at least", maxItems: "entries, at most", pattern: "matches", default: "default",
  };
  return Object.entries(words)
    .filter(([key]) => schema?.[key] !== undefined)
    .map(([key, word]) => `${word} ${typeof schema[key] === "object" ? JSON.stringify(schema[key]) : schema[key]}`)
    .join("; ");
}

/** A table of fields or parameters. */
function table(rows) {
  const row = ({ name, required, schema, description }) =>
    element(
      "tr", {},
      element("td", {}, element("code", {}, name), required ? "" : element("span", { class: "note" }, " optional")),
      element("td", {}, kind(schema), element("div", { class: "note" }, bounds(schema))),
      element("td", {}, ...prose(description ?? schema?.description)),
    );
  return element("table", {}, ...rows.map(row));
}

/** A schema's fields, and those of the schemas that it names. */
function fields(api, schema, seen = new Set()) {
  const parts = [];
  const whole = resolve(api, schema);
  for (const part of whole?.allOf ?? []) parts.push(...fields(api, part, seen));
  const properties = Object.entries(whole?.properties ?? {});
  if (properties.length > 0) {
    const required = new Set(whole.required ?? []);
    parts.push(table(properties.map(([name, field]) => ({ name, required: required.has(name), schema: field }))));
  }
  for (const reference of references(whole)) {
    if (seen.has(reference)) continue;
    seen.add(reference);
    const inner = resolve(api, { $ref: reference });
    const summary = element("summary", {}, element("code", {}, nameOf(reference)), " ", ...prose(inner?.description));
    parts.push(element("details", {}, summary, ...fields(api, inner, seen)));
  }
  return parts;
}

/** The references that stand directly in a schema. */
function references(schema) {
  const found = [];
  const look = (part) => {
    if (part === null || typeof part !== "object") return;
    if (typeof part.$ref === "string") found.push(part.$ref);
    else Object.values(part).forEach(look);
  };
  look(schema);
  return found;
}

/** A body: its media type and its fields. */
function body(api, title, content) {
  return Object.entries(content ?? {}).map(([media, { schema }]) => {
    const summary = element("summary", {}, `${title}: ${kind(schema)} `, element("span", { class: "note" }, media));
    return element("details", {}, summary, ...fields(api, schema));
  });
}

/** Everything about one operation. */
function operation(api, method, path, about) {
  const scopes = (about.security ?? []).flatMap((one) => Object.values(one).flat());
  const responses = Object.entries(about.responses ?? {}).flatMap(([status, response]) => {
    const { content, description } = resolve(api, response);
    return content ? body(api, status, content) : [element("p", {}, `${status} ${description ?? ""}`)];
  });
  const head = element("h3", {}, element("span", { class: "method" }, method), element("code", {}, path));
  return element(
    "section", { id: `${method}-${path}` }, head,
    element("p", {}, ...prose(about.summary), scopes.length ? element("span", { class: "note" }, ` (scope: ${scopes.join(", ")})`) : null),
    ...(about.description ? about.description.split("\n\n").map((text) => element("p", {}, ...prose(text))) : []),
    ...(about.parameters?.length ? [table(about.parameters)] : []),
    ...body(api, "body", about.requestBody?.content),
    ...responses,
  );
}

async function show() {
  const main = document.querySelector("main");
  const nav = document.querySelector("nav");
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`the document cannot be read: ${response.status}`);
  const api = await response.json();
  main.append(element("h1", {}, `${api.info.title} ${api.info.version}`));
  main.append(...api.info.description.split("\n\n").map((text) => element("p", {}, ...prose(text))));
  main.append(element("p", {}, element("a", { href: "openapi.json" }, "openapi.json")));
  for (const { name, description } of api.tags) {
    nav.append(element("h2", {}, name));
    main.append(element("h2", { id: name }, name), element("p", {}, ...prose(description)));
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((method) => item[method]?.tags?.includes(name))) {
        nav.append(element("a", { href: `#${method}-${path}` }, `${method.toUpperCase()} ${path.replace("/api/v1", "")}`));
        main.append(operation(api, method, path, item[method]));
      }
    }
  }
}

show().catch((error) => document.querySelector("main").append(element("p", {}, String(error.message))));
