/** Entry of the dashboard, served by the origin. */
export {};
