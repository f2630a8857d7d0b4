export const injections: string[];
export const floods: string[];
