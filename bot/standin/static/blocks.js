// Block Kit: one function a block. What a person can touch is in elements.js.
//
// `host` says where the blocks stand: {ctx, where: {channel, ts} or {view_id}, values, errors, changed(...), act(...)}.

import { el, link, safeUrl } from "./dom.js";
import { markdown } from "./markdown.js";
import { mrkdwn, textObject } from "./mrkdwn.js";
import { element, isInteractive } from "./elements.js";
import { richText, tableBlock } from "./richtext.js";

/** Nodes for a list of blocks. */
export function drawBlocks(blocks, host) {
  return (blocks ?? []).map((block) => {
    const draw = KINDS[block.type] ?? unknown;
    const node = draw(block, host);
    node.classList.add("block");
    node.dataset.block = block.block_id ?? "";
    return node;
  });
}

const KINDS = {
  header: (block, host) => el("h3", { class: "b-header" }, textObject({ ...block.text, type: "plain_text" }, host.ctx)),
  divider: () => el("hr", { class: "b-divider" }),
  section,
  context: (block, host) => el("div", { class: "b-context" }, (block.elements ?? []).map((part) =>
    part.type === "image" ? picture(part, "tiny") : el("span", {}, textObject(part, host.ctx)))),
  actions: (block, host) => el("div", { class: "b-actions" }, (block.elements ?? []).map((part) => element(part, block, host))),
  context_actions: (block, host) => el("div", { class: "b-actions" }, (block.elements ?? []).map((part) => element(part, block, host))),
  image: (block) => el("figure", { class: "b-image" }, block.title && el("figcaption", {}, block.title.text), picture(block, "large")),
  input,
  rich_text: (block, host) => el("div", { class: "b-rich" }, richText(block.elements, host.ctx)),
  table: (block, host) => tableBlock(block, host.ctx),
  markdown: (block, host) => markdown(block.text, { ...host.ctx, keepsLines: true }),
  video: (block, host) => el("div", { class: "b-section" },
    el("div", {}, link(block.title_url ?? block.video_url, el("strong", {}, block.title?.text ?? "Video")),
      el("div", { class: "quiet" }, textObject(block.description, host.ctx)), picture({ image_url: block.thumbnail_url, alt_text: block.alt_text }, "large"))),
  alert: (block, host) => el("div", { class: `b-alert ${/^[a-z]+$/.test(block.level ?? "") ? block.level : "info"}`, role: "note" }, textObject(block.text, host.ctx)),
  file: (block) => el("div", { class: "quiet" }, `File ${block.external_id ?? ""}`),
};

function unknown(block) {
  return el("div", { class: "quiet" }, `This page does not draw "${block.type}" blocks.`);
}

function section(block, host) {
  const body = el("div", { class: "b-body" });
  if (block.text) body.append(el("div", { class: "b-text" }, textObject(block.text, host.ctx)));
  if (block.fields?.length) {
    body.append(el("div", { class: "b-fields" }, block.fields.map((field) => el("div", {}, textObject(field, host.ctx)))));
  }
  const accessory = block.accessory && (isInteractive(block.accessory)
    ? el("div", { class: "b-accessory" }, element(block.accessory, block, host))
    : picture(block.accessory, "thumb"));
  return el("div", { class: "b-section" }, body, accessory);
}

function picture(image, size) {
  const source = safeUrl(image.image_url ?? image.slack_file?.url);
  if (source === null) return el("span", { class: "quiet" }, image.alt_text ?? "image");
  return el("img", { src: source, alt: image.alt_text ?? "", class: `picture ${size}`, loading: "lazy" });
}

function input(block, host) {
  const error = host.errors?.[block.block_id];
  const id = `f-${block.block_id}`;
  const field = element(block.element, block, host, { labelled: id, invalid: Boolean(error) });
  return el("div", { class: error ? "b-input wrong" : "b-input", role: "group", "aria-labelledby": id },
    el("div", { class: "label", id }, textObject(block.label, host.ctx), block.optional && el("span", { class: "quiet" }, " (optional)")),
    field,
    error && el("div", { class: "error", role: "alert" }, error),
    block.hint && el("div", { class: "hint" }, textObject(block.hint, host.ctx)));
}

/** The older coloured attachments under a message. */
export function drawAttachment(attachment, host) {
  const inner = [];
  const { ctx } = host;
  if (attachment.pretext) inner.push(el("div", {}, mrkdwn(attachment.pretext, ctx)));
  const body = el("div", { class: "attachment" });
  if (/^#?[0-9a-f]{6}$/i.test(attachment.color ?? "")) body.style.borderColor = `#${attachment.color.replace("#", "")}`;
  if (attachment.author_name) body.append(el("div", { class: "quiet" }, attachment.author_name));
  if (attachment.title) body.append(el("strong", {}, attachment.title_link ? link(attachment.title_link, attachment.title) : attachment.title));
  if (attachment.text) body.append(el("div", {}, mrkdwn(attachment.text, ctx)));
  if (attachment.fields?.length) {
    body.append(el("div", { class: "b-fields" }, attachment.fields.map((field) =>
      el("div", {}, el("strong", {}, field.title ?? ""), el("br"), mrkdwn(field.value ?? "", ctx)))));
  }
  body.append(...drawBlocks(attachment.blocks, host));
  if (attachment.image_url) body.append(picture({ image_url: attachment.image_url, alt_text: attachment.fallback }, "large"));
  if (attachment.footer) body.append(el("div", { class: "quiet" }, attachment.footer));
  return el("div", {}, inner, body);
}
