/** Which route serves which operation on a project's resources. */
import { notFound } from "../resource-errors.ts";
import { Refusal } from "../error-bodies.ts";
import type { ResourceOperation } from "../resource-paths.ts";
import {
  cancelNativeBatch,
  createEmbedBatch,
  createGenerateBatch,
  deleteBatch,
  getBatch,
  listBatches,
} from "./batches.ts";
import { createCache, deleteCache, getCache, listCaches, updateCache } from "./caches.ts";
import {
  createInCollection,
  deleteFromCollection,
  environmentFile,
  executeTrigger,
  getFromCollection,
  listCollection,
  listExecutions,
  pingWebhook,
  rotateWebhookSecret,
  updateInCollection,
} from "./collections.ts";
import type { RouteHandler } from "./context.ts";
import { downloadDirect, downloadFile } from "./file-download.ts";
import { createStore, deleteStore, getStore, importFile, listStores } from "./file-search-stores.ts";
import { createFile, deleteFile, getFile, listFiles, registerFiles } from "./files.ts";
import { generateVideos, getModelOperation, openAiImages, predictImages } from "./generated-media.ts";
import { cancelInteraction, createInteraction, deleteInteraction, getInteraction } from "./interactions.ts";
import { cancelOpenAiBatch, createOpenAiBatch, getOpenAiBatch, listOpenAiBatches } from "./openai-batches.ts";
import {
  createOpenAiFile,
  deleteOpenAiFile,
  getOpenAiFile,
  listOpenAiFiles,
  openAiFileContent,
} from "./openai-files.ts";
import {
  deleteDocument,
  getDocument,
  getStoreOperation,
  getStoreUploadOperation,
  listDocuments,
  storeMedia,
} from "./store-documents.ts";
import {
  createAuthToken,
  createTunedModel,
  deleteTunedModel,
  getTunedModel,
  getTuningOperation,
  listTunedModels,
} from "./tuned-models.ts";
import { uploadFile, uploadToEnvironment, uploadToStore } from "./upload-start.ts";

export const RESOURCE_HANDLERS: Readonly<Record<ResourceOperation, RouteHandler>> = {
  "files.upload": uploadFile,
  "files.create": createFile,
  "files.register": registerFiles,
  "files.list": listFiles,
  "files.get": getFile,
  "files.delete": deleteFile,
  "files.download": downloadFile,
  "files.downloadDirect": downloadDirect,
  // Authorised by its URL and answered before a key is looked at; what comes here has lost its session.
  "upload.leg": () => {
    throw new Refusal(notFound());
  },
  "caches.create": createCache,
  "caches.list": listCaches,
  "caches.get": getCache,
  "caches.update": updateCache,
  "caches.delete": deleteCache,
  "batches.createGenerate": createGenerateBatch,
  "batches.createEmbed": createEmbedBatch,
  "batches.list": listBatches,
  "batches.get": getBatch,
  "batches.delete": deleteBatch,
  "batches.cancel": cancelNativeBatch,
  "videos.generate": generateVideos,
  "images.predict": predictImages,
  "operations.get": getModelOperation,
  "stores.create": createStore,
  "stores.list": listStores,
  "stores.get": getStore,
  "stores.delete": deleteStore,
  "stores.import": importFile,
  "stores.upload": uploadToStore,
  "stores.operation": getStoreOperation,
  "stores.uploadOperation": getStoreUploadOperation,
  "stores.media": storeMedia,
  "documents.list": listDocuments,
  "documents.get": getDocument,
  "documents.delete": deleteDocument,
  "tunedModels.create": createTunedModel,
  "tunedModels.list": listTunedModels,
  "tunedModels.get": getTunedModel,
  "tunedModels.delete": deleteTunedModel,
  "tunedModels.operation": getTuningOperation,
  "authTokens.create": createAuthToken,
  "interactions.create": createInteraction,
  "interactions.get": getInteraction,
  "interactions.cancel": cancelInteraction,
  "interactions.delete": deleteInteraction,
  "collection.create": createInCollection,
  "collection.list": listCollection,
  "collection.get": getFromCollection,
  "collection.update": updateInCollection,
  "collection.delete": deleteFromCollection,
  "environments.download": environmentFile,
  "environments.upload": uploadToEnvironment,
  "triggers.execute": executeTrigger,
  "triggers.executions": listExecutions,
  "webhooks.ping": pingWebhook,
  "webhooks.rotate": rotateWebhookSecret,
  "openai.files.create": createOpenAiFile,
  "openai.files.list": listOpenAiFiles,
  "openai.files.content": openAiFileContent,
  "openai.files.get": getOpenAiFile,
  "openai.files.delete": deleteOpenAiFile,
  "openai.batches.create": createOpenAiBatch,
  "openai.batches.list": listOpenAiBatches,
  "openai.batches.cancel": cancelOpenAiBatch,
  "openai.batches.get": getOpenAiBatch,
  "openai.images": openAiImages,
};
