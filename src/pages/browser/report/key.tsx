/** A value that clients chose. `bdi` isolates right-to-left text from its surroundings. */
export function Key({ text }: { readonly text: string }) {
  return (
    <bdi class="key" title={text.length > 40 ? text : undefined}>
      {text}
    </bdi>
  );
}
