export const VARIABLE: string;
export function measure(): number;
export function slowness(): number;
