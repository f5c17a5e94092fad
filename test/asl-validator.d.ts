/** asl-validator 4 ships no types for its default export. */
declare module 'asl-validator' {
  export default function validate(definition: object): { readonly isValid: boolean; readonly errors: readonly object[] };
}
