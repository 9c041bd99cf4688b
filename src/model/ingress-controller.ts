/** The controller that our IngressClass objects name: an Ingress of such a class is ours to serve. */
export const ingressController = 'tideline.dev/edge';
