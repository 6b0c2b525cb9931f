// A name that nobody else has. Not crypto.randomUUID: browsers have that for HTTPS and this machine only.

export const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
